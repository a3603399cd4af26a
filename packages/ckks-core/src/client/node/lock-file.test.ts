import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileSystemError, InvalidArgumentError, SecurityError } from '../../errors/errors.ts'
import { hold, holdAndDie } from './lock-file.test-helper.ts'
import { withLockFile } from './lock-file.ts'

let folder: string
let lock: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'he-ml-lock-'))
  lock = join(folder, 'x.lock')
})
afterEach(() => rm(folder, { recursive: true, force: true }))
const soon = { patience: 20 }
/** Elsewhere a lock is never taken over. */
const onLinux = it.skipIf(process.platform !== 'linux')

describe('a lock file', () => {
  it('is held by one at a time, and gone afterwards, whatever happens', async () => {
    let inside = 0
    const work = async () => {
      expect(++inside).toBe(1)
      await new Promise(setImmediate)
      inside--
    }
    await Promise.all(Array.from({ length: 10 }, () => withLockFile(lock, work)))
    await expect(withLockFile(lock, () => Promise.reject(new Error('within')))).rejects.toThrow('within')
    expect(await readdir(folder)).toEqual([])
    await expect(withLockFile(join(folder, 'none', 'x'), work)).rejects.toThrow(FileSystemError)
  })
  it('of a process at work is left to it, and says whose it is and what to do', async () => {
    const child = await hold(lock)
    const held = withLockFile(lock, async () => 1, soon)
    await expect(held).rejects.toThrow(SecurityError)
    await expect(held).rejects.toThrow(`${lock}: another process holds the ledger (process ${child.pid} on `)
    await expect(held).rejects.toThrow(`remove this file: rm ${lock}`)
    const own = { ...soon, what: 'the folder', heldError: (message: string) => new InvalidArgumentError(message) }
    await expect(withLockFile(lock, async () => 1, own)).rejects.toThrow(InvalidArgumentError)
    await expect(withLockFile(lock, async () => 1, own)).rejects.toThrow(/holds the folder/)
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  onLinux('of a process that was killed is taken over, by one of many at a time', async () => {
    for (let round = 0; round < 3; round++) {
      await holdAndDie(lock)
      let inside = 0
      let done = 0
      await Promise.all(
        Array.from({ length: 12 }, () =>
          withLockFile(lock, async () => {
            expect(++inside).toBe(1)
            await new Promise(setImmediate)
            inside--
            done++
          }),
        ),
      )
      expect(done).toBe(12)
      expect(await readdir(folder)).toEqual([])
    }
  })
  onLinux('is taken over where whoever took it over was killed as well', async () => {
    await holdAndDie(lock)
    const id = /lock ([0-9a-f]{16})/.exec(await readFile(lock, 'utf8'))![1]
    await holdAndDie(`${lock}.${id}`)
    expect(await withLockFile(lock, async () => 1, soon)).toBe(1)
    expect(await readdir(folder)).toEqual([])
  })
  onLinux('of a number that another process has now is taken over', async () => {
    const mine = await withLockFile(lock, () => readFile(lock, 'utf8'))
    await writeFile(lock, mine.replace(/start \d+/, 'start 1'))
    expect(await withLockFile(lock, async () => 1, soon)).toBe(1)
    await writeFile(lock, mine)
    await expect(withLockFile(lock, async () => 1, soon)).rejects.toThrow(SecurityError)
  })
  it.each([
    ['of another machine, or of an earlier boot', (text: string) => text.replace(/machine ./, 'machine -')],
    ['that says nothing', () => ''],
    ['in another form', () => 'process 1 on another host'],
    ['that was cut', (text: string) => text.slice(0, -9)],
  ])('%s is never taken over', async (_, change) => {
    await holdAndDie(lock)
    const left = change(await readFile(lock, 'utf8'))
    await writeFile(lock, left)
    await expect(withLockFile(lock, async () => 1, soon)).rejects.toThrow(/if you know that it works no more/)
    expect(await readFile(lock, 'utf8')).toBe(left)
  })
})
