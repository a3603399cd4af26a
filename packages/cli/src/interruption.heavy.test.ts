/** Signals, kills and full disks: real processes, nothing half-written, and work that goes on. */
import { spawnSync } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  COMMAND,
  type Finished,
  type Folder,
  heMl,
  leftovers,
  mustRun,
  type Running,
  start,
  temporaryFolder,
  writeInputs,
} from './cli.test-helper.ts'

let here: Folder
const running = (...more: string[]) => [
  ...['run', '-p', 'plan.json', '-m', 'net.onnx', '-e', 'keys', '-i', 'in.ct', '--threads', '2', '--json', ...more],
]
const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

beforeAll(async () => {
  here = await temporaryFolder()
  await writeInputs(here, { size: 20, channels: 16, blocks: 2 })
  const plan = ['plan', '-m', 'net.onnx', '-d', 'images.json', '-q', '--degree', '3', '--scale-bits', '30']
  await mustRun(here.path, ...plan, '--log-n', '15', '-o', 'plan.json')
  await mustRun(here.path, 'keygen', '-p', 'plan.json', '-s', 'secret.key', '-e', 'keys', '-q')
  await mustRun(here.path, 'encrypt', '-p', 'plan.json', '-k', 'secret.key', '-d', 'images.json', '-o', 'in.ct')
})
afterAll(() => here[Symbol.asyncDispose]())

/** A signal may come when the work is done already: then it is tried again, in a new place. */
const ATTEMPTS = 25

/** Starts a command, sends the signal once `when` is fulfilled, and gives how it ended; undefined when it was faster. */
async function interrupted(args: string[], signal: 'SIGINT' | 'SIGKILL', when: (run: Running) => Promise<unknown>) {
  const run = start(here.path, args)
  await Promise.race([when(run), run.done])
  run.child.kill(signal)
  const ended = await run.done
  return ended.code === 0 ? undefined : ended
}

describe('signals', () => {
  it('ends run with 130 and no result', async () => {
    let ended: Finished | undefined
    for (let i = 0; ended === undefined && i < ATTEMPTS; i++) {
      await rm(here.at('interrupted.ct'), { force: true })
      ended = await interrupted(running('-o', 'interrupted.ct'), 'SIGINT', ({ says }) => says('running:'))
    }
    const { code, stdout, stderr } = ended!
    expect(code, stderr).toBe(130)
    expect(stderr).toMatch(/cancelling/)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'Cancelled', exitCode: 130 } })
    expect(await exists(here.at('interrupted.ct'))).toBe(false)
    expect(await leftovers(here.path)).toEqual([])
  })

  it('ends keygen with 130; --reuse then makes the folder complete', async () => {
    const keygen = ['keygen', '-p', 'plan.json', '-s', 'large.key', '-e', 'largeKeys', '--json']
    let ended: Finished | undefined
    for (let i = 0; ended === undefined && i < ATTEMPTS; i++) {
      for (const name of ['large.key', 'large.key.ledger', 'largeKeys'])
        await rm(here.at(name), { recursive: true, force: true })
      ended = await interrupted(keygen, 'SIGINT', ({ says }) => says('making keys:'))
    }
    const { code, stderr } = ended!
    expect(code, stderr).toBe(130)
    expect(await leftovers(here.path)).toEqual([])
    const partial = await readdir(here.at('largeKeys'))
    expect(partial).not.toContain('keys.manifest')
    const secret = await readFile(here.at('large.key'))

    const again = await mustRun(here.path, ...keygen, '--reuse', '-q')
    const { report } = JSON.parse(await readFile(here.at('plan.json'), 'utf8'))
    expect(again.json<{ keys: number }>().keys).toBe(report.keys.count)
    expect(await readFile(here.at('large.key'))).toEqual(secret)
    const complete = await readdir(here.at('largeKeys'))
    expect(complete).toHaveLength(report.keys.count + 1)
    expect(complete.length).toBeGreaterThan(partial.length)
    const inspected = await mustRun(here.path, 'inspect', 'largeKeys/keys.manifest', '--json')
    expect(inspected.json<{ keys: unknown[]; keyId: string }>()).toMatchObject({
      keyId: again.json<{ keyId: string }>().keyId,
    })
  })
})

describe('--checkpoints', () => {
  it('goes on after kill -9, from where it was, to the same result, and cleans up', async () => {
    await mustRun(here.path, ...running('-o', 'whole.ct', '-q'))
    await mkdir(here.at('kept'), { recursive: true })
    await cp(here.at('net.onnx'), here.at('kept', 'mine.onnx'))
    const index = here.at('kept/he-ml-checkpoint/index.json')
    const args = running('-o', 'resumed.ct', '-q', '--checkpoints', 'kept')
    const finished = async () => (JSON.parse(await readFile(index, 'utf8')) as { done: number[] }).done.length
    const isFarEnough = async () => (await exists(index)) && (await finished()) >= 3
    const farEnough = async ({ done }: Running) => {
      let ended = false
      void done.then(() => {
        ended = true
      })
      while (!ended && !(await isFarEnough().catch(() => false))) await sleep(2)
    }
    let killed: Finished | undefined
    for (let i = 0; killed === undefined && i < ATTEMPTS; i++) {
      await rm(here.at('resumed.ct'), { force: true })
      killed = await interrupted(args, 'SIGKILL', farEnough)
    }
    expect(killed!.signal).toBe('SIGKILL')
    expect(await exists(here.at('resumed.ct'))).toBe(false)

    const from = await finished()
    const resumed = await mustRun(here.path, ...args)
    expect(await readFile(here.at('resumed.ct'))).toEqual(await readFile(here.at('whole.ct')))
    expect(resumed.json()).toMatchObject({ resumedLayers: from })
    expect(await readdir(here.at('kept'))).toEqual(['mine.onnx'])
  })
})

describe('a disk without room', () => {
  const encrypt = ['encrypt', '-p', 'plan.json', '-k', 'secret.key', '-d', 'images.json']

  it('leaves no half file where the system limits the size of files', async () => {
    // 64 blocks of 512 or 1024 bytes: far below the ciphertext
    const limited = ['/bin/sh', '-c', 'ulimit -f 64; exec "$@"', 'sh', ...COMMAND]
    const { code, stderr } = await start(here.path, [...encrypt, '-o', 'limited.ct'], limited).done
    expect(stderr).toMatch(/EFBIG/)
    expect(code).toBe(9)
    expect(await exists(here.at('limited.ct'))).toBe(false)
    expect(await leftovers(here.path)).toEqual([])
  })

  it('leaves no half file on a full file system, and an older file as it was', async (context) => {
    const disk = here.at('disk')
    await mkdir(disk, { recursive: true })
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'none', disk]).status !== 0) {
      console.warn('no tmpfs can be mounted here (needs root): a full file system is not tested')
      return context.skip()
    }
    try {
      await cp(here.at('plan.json'), here.at('disk/result.ct'))
      const { code, stderr } = await heMl(here.path, ...encrypt, '-o', 'disk/result.ct')
      expect(stderr).toMatch(/ENOSPC/)
      expect(code).toBe(9)
      expect(await readdir(disk)).toEqual(['result.ct'])
      expect(await readFile(here.at('disk/result.ct'))).toEqual(await readFile(here.at('plan.json')))
    } finally {
      spawnSync('umount', [disk])
    }
  })
})
