import { FormatError, UnsupportedError } from '@he-ml/ckks-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeSafetensors, type NamedTensor, parseSafetensors } from './safetensors.ts'

const file = (header: unknown, data: readonly number[] = []) => {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + json.length + data.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
  bytes.set(json, 8)
  bytes.set(data, 8 + json.length)
  return bytes
}
const tensors = new Map<string, NamedTensor>([
  ['conv.weight', { dtype: 'F32', shape: [2, 1], data: Float32Array.of(1.5, -2) }],
  ['scale', { dtype: 'F64', shape: [], data: Float64Array.of(Math.PI) }],
  ['steps', { dtype: 'I64', shape: [3], data: Float64Array.of(-1, 0, 2 ** 40) }],
  ['empty', { dtype: 'F32', shape: [0, 3], data: new Float32Array(0) }],
])

describe('safetensors', () => {
  it('returns what was written', () => {
    const { tensors: read, metadata } = parseSafetensors(encodeSafetensors({ tensors }))
    expect(Object.fromEntries(read)).toEqual(Object.fromEntries(tensors))
    expect(metadata).toBe(undefined)
  })

  it('reads half-width floats bit by bit', () => {
    const header = {
      __metadata__: { format: 'pt' },
      h: { dtype: 'F16', shape: [5], data_offsets: [0, 10] },
      b: { dtype: 'BF16', shape: [2], data_offsets: [10, 14] },
    }
    // 1, -2, smallest subnormal, largest, 0 ; 1, -3.140625
    const data = [0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0xff, 0x7b, 0x00, 0x00, 0x80, 0x3f, 0x49, 0xc0]
    const { tensors: read } = parseSafetensors(file(header, data))
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
    expect(() => parseSafetensors(file({ a: { ...entry(0, 4), dtype: 8 } }, [0, 0, 0, 0]))).toThrow(/"a"/)
    expect(() => parseSafetensors(file({ a: { ...entry(0, 4), extra: 1 } }, [0, 0, 0, 0]))).toThrow(/extra/)
    expect(() => parseSafetensors(file({ a: entry(4, 8) }, new Array(8).fill(0)))).toThrow(/should lie at 0 to 4/)
    expect(() => parseSafetensors(file({ a: entry(0, 4), b: entry(2, 6) }, new Array(6).fill(0)))).toThrow(/"b"/)
    expect(() => parseSafetensors(file({ a: entry(0, 4, [2 ** 50]) }, new Array(4).fill(0)))).toThrow(/should lie/)
    expect(() => parseSafetensors(file({ a: entry(0, 4) }, new Array(5).fill(0)))).toThrow(/4 bytes of data, got 5/)
    const bad = new Map([['a', { dtype: 'F16' as const, shape: [1], data: Float64Array.of(1) }]])
    expect(() => encodeSafetensors({ tensors: bad })).toThrow(/use F32/)
    const long = new Map([['a', { shape: [2], data: Float64Array.of(1) }]])
    expect(() => encodeSafetensors({ tensors: long })).toThrow(/does not fit 1 values/)
    const reserved = new Map([['__metadata__', { shape: [1], data: Float64Array.of(1) }]])
    expect(() => encodeSafetensors({ tensors: reserved })).toThrow(/reserved/)
  })

  it('reads integers and booleans of every width', () => {
    const types = { I8: 1, U8: 1, BOOL: 1, I16: 2, U16: 2, I32: 4, U32: 4, I64: 8, U64: 8 }
    for (const [dtype, bytes] of Object.entries(types)) {
      const header = { a: { dtype, shape: [2], data_offsets: [0, 2 * bytes] } }
      const one = [1, ...new Array<number>(bytes - 1).fill(0)]
      expect([...parseSafetensors(file(header, [...one, ...one])).tensors.get('a')!.data], dtype).toEqual([1, 1])
      if (dtype === 'BOOL' || bytes === 8) continue
      const all = parseSafetensors(file(header, new Array(2 * bytes).fill(255))).tensors.get('a')!
      const largest = dtype.startsWith('U') ? 2 ** (8 * bytes) - 1 : -1
      expect([...all.data], dtype).toEqual([largest, largest])
    }
    const bool = file({ a: { dtype: 'BOOL', shape: [1], data_offsets: [0, 1] } }, [2])
    expect(() => parseSafetensors(bool).tensors.get('a')!.data).toThrow(
      /tensor "a" \(BOOL\): expected 0 or 1, element 0 is 2/,
    )
  })

  it('calls a tensor of another type unsupported when it is asked for, and the file sound', () => {
    const others = { F8_E4M3: 1, F8_E5M2: 1, F8_E8M0: 1, F6_E2M3: 0.75, F4: 0.5, C64: 8, NEW_TYPE: 3 }
    for (const [dtype, bytes] of Object.entries(others)) {
      const header = {
        mask: { dtype, shape: [4], data_offsets: [8, 8 + 4 * bytes] },
        w: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
      }
      const { tensors: read } = parseSafetensors(
        file(header, [0, 0, 128, 63, 0, 0, 0, 64, ...new Array<number>(4 * bytes).fill(9)]),
      )
      expect([...read.get('w')!.data]).toEqual([1, 2])
      expect(read.get('mask')).toMatchObject({ dtype, shape: [4] })
      expect(() => read.get('mask')!.data, dtype).toThrow(UnsupportedError)
      expect(() => read.get('mask')!.data, dtype).toThrow(new RegExp(`tensor "mask" holds "?${dtype}`))
    }
    const wide = file({ a: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } }, new Array(8).fill(127))
    expect(() => parseSafetensors(wide).tensors.get('a')!.data).toThrow(UnsupportedError)
    expect(() => parseSafetensors(wide).tensors.get('a')!.data).toThrow(/tensor "a" \(I64\): element 0 .* beyond 2\^53/)
    // known types must fill their place
    const short = file({ a: { dtype: 'F8_E4M3', shape: [4], data_offsets: [0, 3] } }, [1, 2, 3])
    expect(() => parseSafetensors(short)).toThrow(FormatError)
    const half = file({ a: { dtype: 'F4', shape: [3], data_offsets: [0, 1] } }, [1])
    expect(() => parseSafetensors(half)).toThrow(FormatError)
  })

  it('ends in typed errors under byte flips and cuts (4,000 cases)', () => {
    const full = encodeSafetensors({ tensors, metadata: { made: 'by hand' } })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
        fc.option(fc.nat({ max: full.length }), { freq: 3 }),
        (flips, cut) => {
          const bytes = full.slice(0, cut ?? full.length)
          for (const [at, value] of flips) if (bytes.length > 0) bytes[at % bytes.length] = value
          try {
            for (const { dtype, data } of parseSafetensors(bytes).tensors.values())
              expect(data).toBeInstanceOf(dtype === 'F32' ? Float32Array : Float64Array)
          } catch (error) {
            if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error
          }
        },
      ),
      { numRuns: 4000 },
    )
  })
})

describe('floats', () => {
  const tensors = new Map([
    ['single', { shape: [2], data: Float32Array.of(1.5, -2) }],
    ['double', { shape: [1, 2], data: Float64Array.of(Math.PI, 1e-300) }],
    ['empty', { shape: [0], data: new Float32Array(0) }],
  ])
  const floats = { types: ['F32', 'F64'] }
  it('come back as they were, in their own precision, with the text', () => {
    const { tensors: read, metadata } = parseSafetensors(encodeSafetensors({ tensors, metadata: { a: 'b' } }), floats)
    expect(metadata).toEqual({ a: 'b' })
    expect([...read].map(([name, { shape, data }]) => [name, { shape, data }])).toEqual([
      ['double', tensors.get('double')],
      ['single', tensors.get('single')],
      ['empty', tensors.get('empty')],
    ])
  })
  it('of other types are unsupported by name', () => {
    for (const dtype of ['I32', 'U8', 'BOOL', 'F16', 'F8_E4M3', 'C64']) {
      const text = Buffer.from(encodeSafetensors({ tensors, metadata: {} }))
        .toString('latin1')
        .replace('"F64"', `"${dtype}"`)
      // the header's length follows its text
      const bytes = Buffer.from(text, 'latin1')
      bytes.writeUInt32LE(bytes.readUInt32LE(0) + dtype.length - 3, 0)
      expect(() => parseSafetensors(bytes, floats), dtype).toThrow(UnsupportedError)
      expect(() => parseSafetensors(bytes, floats), dtype).toThrow(
        `tensor "double" holds ${dtype}, expected F32 or F64`,
      )
    }
  })
  it('end in typed errors under damage (1,500 cases)', () => {
    fc.assert(
      fc.property(damaged(encodeSafetensors({ tensors, metadata: {} })), (bytes) =>
        endsInTypedErrors(() => [...parseSafetensors(bytes, floats).tensors.values()].map(({ data }) => data)),
      ),
      { numRuns: 1500 },
    )
  })
})

/** Bytes changed at a few places, and perhaps cut. */
function damaged(bytes: Uint8Array) {
  return fc
    .tuple(
      fc.array(fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
      fc.oneof(
        { weight: 3, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: fc.nat({ max: bytes.length }) },
      ),
    )
    .map(([flips, cut]) => {
      const copy = bytes.slice(0, cut ?? bytes.length)
      for (const [at, value] of flips) if (at < copy.length) copy[at] = value
      return copy
    })
}

function endsInTypedErrors(read: () => unknown): void {
  try {
    read()
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error
  }
}
