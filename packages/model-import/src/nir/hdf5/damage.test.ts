import { FormatError, UnsupportedError } from '@he-ml/ckks-core'
import { afterAll, describe, expect, it } from 'vitest'
import { type TestArray, writeHdf5 } from '../../testing/hdf5-write.ts'
import { Hdf5Worker } from './hdf5-worker.ts'
import type { HdfArray } from './tree.ts'

const worker = new Hdf5Worker(600_000)
afterAll(() => worker.close())

const shape = [40, 7]
const data = Float32Array.from({ length: 280 }, (_, i) => Math.sin(i))
const arrays: Record<string, TestArray> = {
  deflate: { data, shape, chunks: [16, 4], compression: 1 },
  fletcher32: { data, shape, chunks: [16, 4], compression: 3 },
}

/** @returns 'same', or the error; anything else is a failure of the test */
async function outcome(bytes: Uint8Array, name: string): Promise<'same' | Error> {
  try {
    const tree = await worker.read(bytes, 10_000)
    const entry = tree[name] as HdfArray | undefined
    if (!entry?.data) return new UnsupportedError('not read')
    expect(entry.shape).toEqual(shape)
    expect(Float32Array.from(entry.data as number[])).toEqual(data)
    return 'same'
  } catch (error) {
    if (error instanceof FormatError || error instanceof UnsupportedError) return error
    throw error
  }
}

describe('damaged HDF5 files never give other numbers', () => {
  it.each(Object.keys(arrays))('any byte of any chunk changed, filter %s', async (name) => {
    const file = await writeHdf5({ [name]: arrays[name]! }, undefined)
    expect(await outcome(file.bytes, name)).toBe('same')
    const chunks = file.chunks(name)
    expect(chunks.length).toBe(6)
    let refused = 0
    let count = 0
    for (const { address, bytes } of chunks)
      for (let at = address; at < address + bytes; at++, count++) {
        const changed = file.bytes.slice()
        changed[at]! ^= 1 << (at % 8)
        const result = await outcome(changed, name)
        if (result === 'same') continue
        expect(result).toBeInstanceOf(FormatError)
        expect(result.message).toMatch(new RegExp(`HDF5: "${name}": .*its filter ${name}`))
        refused++
      }
    // deflate leaves some bits unused at the end of its stream
    expect(count).toBeGreaterThan(1000)
    expect(refused).toBeGreaterThan(count - 20)
  })

  it.each(Object.keys(arrays))('any byte of a file with checksums changed, filter %s', async (name) => {
    const { bytes } = await writeHdf5({ [name]: arrays[name]! }, 'latest')
    expect(await outcome(bytes, name)).toBe('same')
    const messages = new Set<string>()
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice()
      changed[at]! ^= 1 << ((at * 5) % 8)
      const result = await outcome(changed, name)
      if (result !== 'same') messages.add(result.message.replaceAll(/\d+/g, '#'))
    }
    // the library's complaints, our checksums and our checks all had their turn
    const said = [...messages].join('\n')
    expect(said).toMatch(/the HDF# library says/)
    expect(said).toMatch(/the checksum of bytes # to # is wrong/)
  })

  it('any entry of the tree of chunks changed', async () => {
    const file = await writeHdf5({ deflate: arrays.deflate! }, undefined)
    const text = Buffer.from(file.bytes).toString('latin1')
    let at = text.indexOf('TREE')
    // the first tree is that of the group's names
    while (file.bytes[at + 4] !== 1) at = text.indexOf('TREE', at + 4)
    const entry = 8 + 8 * 3 + 8
    for (let i = 0; i < 24 + 6 * entry; i++)
      for (const flip of [1, 4, 128]) {
        const changed = file.bytes.slice()
        changed[at + i]! ^= flip
        await outcome(changed, 'deflate')
      }
  })

  it('cut anywhere', async () => {
    const file = await writeHdf5(arrays, undefined)
    for (let length = 0; length < file.bytes.length; length += length < 1000 ? 7 : 61)
      for (const name of Object.keys(arrays))
        expect(await outcome(file.bytes.slice(0, length), name), `${length}`).toBeInstanceOf(FormatError)
  })
})
