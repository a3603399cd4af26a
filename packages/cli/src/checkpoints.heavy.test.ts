/** run --checkpoints: killed, on a full disk, and in too little memory; it goes on to the same bits. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { random } from '../../model-import/src/testing/build-onnx.ts'
import { InterruptedRun } from './checkpoints.test-helper.ts'
import { COMMAND, type Finished, leftovers } from './cli.test-helper.ts'

const THREADS = 2
const KILLS = 3

/** Whole numbers from 1 to `most`, the same ones for every run. */
const points = (seed: number, most: number, count: number): number[] => {
  const next = random(seed * 0x9e3779b1)
  return Array.from({ length: count }, () => 1 + Math.floor(((next() + 1) / 2) * most))
}

/** What a program with a fault says when it comes to its end. */
const operationsOf = ({ stderr }: Finished): number => Number(/disk operations: (\d+)/.exec(stderr)![1])

describe.each([
  ['one image', []],
  ['sub-batches on channel packing, in tiles that run side by side', ['--packing', 'channel', '--batch', '256']],
])('%s', (_, planning) => {
  let stage: InterruptedRun
  /** Operations on files of the checkpoint that a run without a fault has. */
  let operations: number
  beforeAll(async () => {
    stage = await InterruptedRun.create(...planning)
    operations = operationsOf(await stage.runWith('counted', { does: 'kill', at: Number.MAX_SAFE_INTEGER }))
  })
  afterAll(() => stage[Symbol.asyncDispose]())

  it.each([1, 2])(
    'goes on after kill -9 at three random points, repeating a task per thread at most (%i)',
    async (seed) => {
      const { tasks } = stage.bound.program
      const folder = `killed${seed}`
      let done = 0
      let begun = 0
      // a third of the way at most each time: it never comes to its end before
      for (const at of points(seed, Math.floor(operations / KILLS), KILLS)) {
        const { signal, stderr } = await stage.runWith(folder, { does: 'kill', at })
        expect(signal, stderr).toBe('SIGKILL')
        const kept = await stage.kept(folder)
        expect(kept.done.length).toBeGreaterThanOrEqual(done)
        begun += kept.done.length - done + stage.atWork(kept.done)
        done = kept.done.length
      }
      expect(await stage.finish(folder)).toBe(done)
      begun += tasks.length - done
      expect(begun).toBeLessThanOrEqual(tasks.length + KILLS * THREADS)
    },
  )

  it('stops on a full disk, with what was kept as it was, and goes on when there is room', async () => {
    const writes = operationsOf(await stage.runWith('filled', { does: 'full', at: Number.MAX_SAFE_INTEGER }))
    for (const [i, at] of [1, 2, ...points(7, writes, 2), writes].entries()) {
      const folder = `full${i}`
      const { code, stderr, stdout } = await stage.runWith(folder, { does: 'full', at })
      expect(stderr).toMatch(/FileSystemError: .*no space is left on the device.*\(ENOSPC\)/)
      expect(code).toBe(9)
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'FileSystem', exitCode: 9 } })
      expect(await leftovers(stage.here.at(folder))).toEqual([])
      const { done } = await stage.kept(folder)
      expect(await stage.finish(folder)).toBe(done.length)
    }
  })

  it('keeps all but the last task when there is no room for the result alone', async () => {
    const { code, stderr } = await stage.runWith('late', { does: 'full', at: 1 }, 'late.ct')
    expect(stderr).toMatch(/late\.ct: no space is left/)
    expect(code).toBe(9)
    expect(await stage.finish('late')).toBe(stage.bound.program.tasks.length - 1)
  })

  it('is refused by a limit on files or memory with what was kept as it was', async () => {
    await stage.runWith('limited', { does: 'kill', at: Math.floor(operations / 2) })
    const before = await stage.kept('limited')
    expect(before.done.length).toBeGreaterThan(0)
    // 64 blocks of 512 or 1024 bytes: far below a ciphertext
    const files = ['/bin/sh', '-c', 'ulimit -f 64; exec "$@"', 'sh', ...COMMAND]
    const small = await stage.run('limited', files)
    expect(small.stderr).toMatch(/FileSystemError: .*\(EFBIG\)/)
    expect(small.code).toBe(9)
    expect(await stage.kept('limited')).toEqual(before)
    const refused = await stage.run('limited', COMMAND, '--memory', '0.01')
    expect(refused.stderr).toMatch(/MemoryError: .*--memory allows/)
    expect(refused.code).toBe(8)
    expect(await stage.kept('limited')).toEqual(before)
    expect(await stage.finish('limited')).toBe(before.done.length)
  })
})
