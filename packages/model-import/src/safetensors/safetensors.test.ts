import { FormatError } from '@he-ml/ckks-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeSafetensors, type NamedTensor, parseSafetensors } from '../index.ts'

const file = (header: unknown, data: readonly number[] = []) => {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + json.length + data.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
  bytes.set(json, 8)
  bytes.set(data, 8 + json.length)
  return bytes
}
const tensors = new Map<string, NamedTensor>([
  ['conv.weight', { dtype: 'F32', shape: [2, 1], data: Float64Array.of(1.5, -2) }],
  ['scale', { dtype: 'F64', shape: [], data: Float64Array.of(Math.PI) }],
  ['steps', { dtype: 'I64', shape: [3], data: Float64Array.of(-1, 0, 2 ** 40) }],
  ['empty', { dtype: 'F32', shape: [0, 3], data: new Float64Array(0) }],
])

describe('safetensors', () => {
  it('returns what was written', () => {
    expect(Object.fromEntries(parseSafetensors(encodeSafetensors(tensors)))).toEqual(Object.fromEntries(tensors))
  })

  it('reads half-width floats bit by bit', () => {
    const header = {
      __metadata__: { format: 'pt' },
      h: { dtype: 'F16', shape: [5], data_offsets: [0, 10] },
      b: { dtype: 'BF16', shape: [2], data_offsets: [10, 14] },
    }
    // 1, -2, smallest subnormal, largest, 0 ; 1, -3.140625
    const data = [0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0xff, 0x7b, 0x00, 0x00, 0x80, 0x3f, 0x49, 0xc0]
    const read = parseSafetensors(file(header, data))
    expect([...read.get('h')!.data]).toEqual([1, -2, 2 ** -24, 65504, 0])
    expect([...read.get('b')!.data]).toEqual([1, -3.140625])
  })

  it('refuses what its specification forbids', () => {
    const entry = (from: number, to: number, shape = [1]) => ({ dtype: 'F32', shape, data_offsets: [from, to] })
    expect(() => parseSafetensors(new Uint8Array(4))).toThrow(/at least 8 bytes/)
    expect(() => parseSafetensors(new Uint8Array(8).fill(255))).toThrow(/does not fit a file/)
    expect(() => parseSafetensors(file('{"a":'))).toThrow(/not JSON/)
    expect(() => parseSafetensors(file('[]'))).toThrow(FormatError)
    expect(() => parseSafetensors(file({ a: { ...entry(0, 4), dtype: 'U8' } }, [0, 0, 0, 0]))).toThrow(/"a"/)
    expect(() => parseSafetensors(file({ a: { ...entry(0, 4), extra: 1 } }, [0, 0, 0, 0]))).toThrow(/extra/)
    expect(() => parseSafetensors(file({ a: entry(4, 8) }, new Array(8).fill(0)))).toThrow(/should lie at 0 to 4/)
    expect(() => parseSafetensors(file({ a: entry(0, 4), b: entry(2, 6) }, new Array(6).fill(0)))).toThrow(/"b"/)
    expect(() => parseSafetensors(file({ a: entry(0, 4, [2 ** 50]) }, new Array(4).fill(0)))).toThrow(/should lie/)
    expect(() => parseSafetensors(file({ a: entry(0, 4) }, new Array(5).fill(0)))).toThrow(/4 bytes of data, got 5/)
    const wide = file({ a: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } }, new Array(8).fill(127))
    expect(() => parseSafetensors(wide)).toThrow(/2\^53/)
    const bad = new Map([['a', { dtype: 'F16' as const, shape: [1], data: Float64Array.of(1) }]])
    expect(() => encodeSafetensors(bad)).toThrow(/use F32/)
  })

  it('ends in typed errors under byte flips and cuts (4,000 cases)', () => {
    const full = encodeSafetensors(tensors)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
        fc.option(fc.nat({ max: full.length }), { freq: 3 }),
        (flips, cut) => {
          const bytes = full.slice(0, cut ?? full.length)
          for (const [at, value] of flips) if (bytes.length > 0) bytes[at % bytes.length] = value
          try {
            parseSafetensors(bytes)
          } catch (error) {
            if (!(error instanceof FormatError)) throw error
          }
        },
      ),
      { numRuns: 4000 },
    )
  })
})
