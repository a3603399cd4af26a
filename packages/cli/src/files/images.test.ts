import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openImages } from './images.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'he-ml-images-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** What numpy.save writes. */
async function saved(name: string, descr: string, shape: readonly number[], values: ArrayBufferView): Promise<string> {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.map((d) => `${d},`).join(' ')}), }`
  const header = `${text.padEnd(117)}\n`
  const start = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0)
  const path = join(folder, name)
  await writeFile(path, Buffer.concat([start, Buffer.from(header), Buffer.from(values.buffer as ArrayBuffer)]))
  return path
}
const options = { split: 'test', normalization: '0.5/0.25' } as const

describe('NumPy files as inputs', () => {
  it('are pixels where they are bytes, and numbers normalised already otherwise', async () => {
    const bytes = await saved('bytes.npy', '|u1', [2, 1, 1, 2], Uint8Array.of(0, 255, 51, 102))
    const pixels = await openImages(bytes, [1, 1, 2], options)
    expect(pixels.count).toBe(2)
    expect(pixels.tensor(0).data).toEqual(Float64Array.of(-2, 2))
    expect(pixels.tensor(1).data[0]).toBeCloseTo((0.2 - 0.5) / 0.25, 12)
    const floats = await saved('floats.npy', '<f4', [1, 1, 2], Float32Array.of(-1.5, 3))
    const one = await openImages(floats, [1, 1, 2], options)
    expect([one.count, one.tensor(0).data]).toEqual([1, Float64Array.of(-1.5, 3)])
  })
  it('may leave out the one channel', async () => {
    const gray = await saved('gray.npy', '|u1', [3, 1, 2], new Uint8Array(6))
    expect((await openImages(gray, [1, 1, 2], options)).count).toBe(3)
  })
  it('that do not fit are refused, with what would help', async () => {
    const last = await saved('last.npy', '|u1', [4, 2, 2, 3], new Uint8Array(48))
    await expect(openImages(last, [3, 2, 2], options)).rejects.toThrow(/channels come last, save numpy.moveaxis/)
    const small = await saved('small.npy', '<f4', [4], new Float32Array(4))
    await expect(openImages(small, [3, 2, 2], options)).rejects.toThrow(
      /array has shape \[4\], the model takes \[3,2,2\] or \[count,3,2,2\]/,
    )
    const integers = await saved('integers.npy', '<i8', [1, 1, 2], BigInt64Array.of(0n, 255n))
    await expect(openImages(integers, [1, 1, 2], options)).rejects.toThrow(/type int64: save pixels/)
    const none = await saved('none.NPY', '<f4', [0, 1, 1, 2], new Float32Array(0))
    await expect(openImages(none, [1, 1, 2], options)).rejects.toThrow(/no inputs/)
    const flat = await saved('flat.npy', '|u1', [4], Uint8Array.of(0, 51, 102, 255))
    await expect(openImages(flat, [4], options)).rejects.toThrow(/use --normalize none/)
    const raw = await openImages(flat, [4], { ...options, normalization: 'none' })
    expect(raw.tensor(0).data[3]).toBe(1)
    const infinite = await saved('infinite.npy', '<f4', [1, 1, 2], Float32Array.of(0, Number.POSITIVE_INFINITY))
    const source = await openImages(infinite, [1, 1, 2], options)
    expect(() => source.tensor(0)).toThrow(/input 0: value 1 is Infinity/)
  })
})
