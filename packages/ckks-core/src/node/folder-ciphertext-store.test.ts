import { mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClearEngine } from '../engines/clear/clear-engine.ts'
import { DisposedError, FileSystemError, FormatError, HeMlError } from '../errors/errors.ts'
import { insecureParametersWithFiles } from '../parameters/create-parameters.ts'
import { openCiphertextFolder } from './folder-ciphertext-store.ts'

const parameters = insecureParametersWithFiles({ logN: 10, levels: 3, scaleBits: 30 })
const engine = createClearEngine(parameters)
const fresh = (count: number) => Array.from({ length: count }, (_, i) => engine.encryptClear(Float64Array.of(i, 7)))
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'he-ml-spill-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** The only store's own folder, and its files. */
async function look(): Promise<{ own: string; files: string[] }> {
  const [name] = await readdir(folder)
  const own = join(folder, name!)
  return { own, files: (await readdir(own)).sort() }
}

describe('ciphertexts put away in a folder', () => {
  it('come back the same; files go when they are dropped, and the folder with the store', async () => {
    await using store = await openCiphertextFolder(engine, folder)
    const given = fresh(5)
    const one = await store.spill(given.slice(0, 3))
    const two = await store.spill(given.slice(3))
    const { own, files } = await look()
    expect(files).toHaveLength(5)
    expect((await stat(own)).mode & 0o777).toBe(0o700)
    expect((await stat(join(own, files[0]!))).mode & 0o777).toBe(0o600)
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(own, file))).size))
    expect(sizes.reduce((a, b) => a + b)).toBe(store.bytes)
    const back = [...(await store.restore(one)), ...(await store.restore(two))]
    expect(back.map((c) => engine.readClear(c))).toEqual(given.map((c) => engine.readClear(c)))
    await store.drop(one)
    expect((await look()).files).toHaveLength(2)
    await store.dispose()
    expect(await readdir(folder)).toEqual([])
  })

  it('are refused when a file was changed, cut, exchanged, removed or replaced by a link', async () => {
    await using store = await openCiphertextFolder(engine, folder)
    const spilled = await store.spill(fresh(2))
    const { own, files } = await look()
    const [a, b] = files.map((file) => join(own, file)) as [string, string]
    const good = await readFile(a)
    const damages: [string, () => Promise<void>][] = [
      [
        'changed',
        () =>
          writeFile(
            a,
            good.map((byte, i) => (i === good.length - 1 ? byte ^ 1 : byte)),
          ),
      ],
      ['cut', () => writeFile(a, good.subarray(1))],
      ['longer', () => writeFile(a, Buffer.concat([good, Buffer.of(0)]))],
      ['exchanged', async () => writeFile(a, await readFile(b))],
      ['removed', () => rm(a)],
      ['a link', () => symlink(b, a)],
    ]
    const before = engine.memory().ciphertexts
    for (const [name, damage] of damages) {
      await damage()
      const type = name === 'removed' ? FileSystemError : name === 'a link' ? HeMlError : FormatError
      await expect(store.restore(spilled), name).rejects.toThrow(type)
    }
    expect(engine.memory().ciphertexts).toBe(before)
    await rm(a)
    await writeFile(a, good)
    for (const c of await store.restore(spilled)) c.dispose()
  })

  it('leave nothing behind when the folder fails', async () => {
    const store = await openCiphertextFolder(engine, folder)
    const kept = await store.spill(fresh(1))
    const { own } = await look()
    await rename(own, `${own}-away`)
    await expect(store.spill(fresh(3))).rejects.toThrow(FileSystemError)
    expect(store.bytes).toBe(kept.bytes)
    await rename(`${own}-away`, own)
    const given = fresh(2)
    given[1]!.dispose()
    await expect(store.spill(given)).rejects.toThrow(DisposedError)
    expect((await look()).files).toHaveLength(1)
    await store.dispose()
  })

  it('need a folder that is there', async () => {
    await expect(openCiphertextFolder(engine, join(folder, 'none'))).rejects.toThrow(FileSystemError)
  })
})
