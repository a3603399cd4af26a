import { inflateSync } from 'node:zlib'
import { UnsupportedError } from '@he-ml/ckks-core'
import { afterAll, describe, expect, it } from 'vitest'
import { other, sound } from '../../testing/hdf5-files.ts'
import { Hdf5Worker } from './hdf5-worker.ts'
import { checkRead, type HdfArray } from './tree.ts'

const worker = new Hdf5Worker(600_000)
afterAll(() => worker.close())
const unpack = (base64: string) => inflateSync(Buffer.from(base64, 'base64'))
const read = (bytes: Uint8Array) => worker.read(bytes, 2 ** 20)
const ramp = Array.from({ length: 60 }, (_, i) => (i - 20) / 4)

describe.each(['Earliest', 'V110', 'Latest'] as const)('files that h5py wrote, %s', (version) => {
  it('are read right: every type, layout and filter that is taken', async () => {
    const tree = await read(unpack(sound[version]))
    const kinds: Record<string, number> = {}
    for (const [name, entry] of Object.entries(tree)) {
      const { shape, kind, data } = entry as HdfArray
      kinds[kind] = (kinds[kind] ?? 0) + 1
      if (kind === 'text' || shape.join() !== '6,10') continue
      expect(data, name).toEqual(name === 'bool' ? ramp.map((x) => Number(x > 0)) : ramp)
    }
    expect(kinds).toEqual({ int: 9, float: 17, text: 4 })
    for (const dtype of ['i1', 'u1', '<i2', '>u4', 'i8', 'u8'])
      expect(tree[`type ${dtype}`]).toEqual({ shape: [5], kind: 'int', data: [0, 3, 6, 9, 12] })
    expect((tree['many chunks'] as HdfArray).data).toEqual(Array.from({ length: 1100 }, (_, i) => i % 3))
    expect((tree['incompressible lzf'] as HdfArray).data.slice(0, 3)).toEqual(incompressible)
    expect(tree.texts).toEqual({ shape: [3], kind: 'text', data: ['a', '', 'éè'] })
    expect(tree['texts, gzip']).toMatchObject({ data: ['a', '', 'bc', 'a', '', 'bc', 'a', '', 'bc', 'a', '', 'bc'] })
    expect(tree.bytes).toEqual({ shape: [2], kind: 'text', data: ['abc', 'd'] })
    expect(tree.text).toEqual({ shape: [], kind: 'text', data: ['one'] })
    expect(tree.nothing).toEqual({ shape: [0, 3], kind: 'float', data: [] })
    expect(tree.scalar).toEqual({ shape: [], kind: 'float', data: [2.5] })
  })

  it('hold what is not read, each by name and only when asked for', async () => {
    const tree = await read(unpack(other[version]))
    const reasons: Record<string, RegExp> = {
      unwritten: /was never written/,
      'unwritten, chunks': /was never written/,
      'partly written': /chunk 0 of 8 was never written/,
      null: /null dataspace/,
      record: /holds records of 8 bytes/,
      complex: /holds (records|complex) of 8 bytes/,
      list: /holds lists of 16 bytes/,
      'large integer': /beyond 2\^53/,
      'named type': /neither a group nor an array/,
      'of named type': /a named datatype/,
      soft: /a link to elsewhere/,
      external: /a link to elsewhere/,
      scaleoffset: /the filter scaleoffset/,
      zstd: /the filter zstd/,
      blosc: /the filter blosc/,
      'number 60000': /the filter number 60000/,
      elsewhere: /its values lie in other files/,
    }
    expect(Object.keys(tree).sort()).toEqual(Object.keys(reasons).sort())
    for (const [name, reason] of Object.entries(reasons)) {
      expect(() => checkRead(tree[name], name), name).toThrow(UnsupportedError)
      expect(() => checkRead(tree[name], name), name).toThrow(reason)
    }
  })
})

/** numpy's default_rng(1).integers(0, 255, 40, "u1")[:3] */
const incompressible = [254, 227, 33]
