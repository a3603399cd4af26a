import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DatasetFileError, DatasetFormatError, DatasetUnsupportedError, parseNumpy, readNumpy } from './index.ts'

/** As numpy.save writes it: the header padded with spaces to a multiple of 64, and a newline. */
function npy(descr: string, shape: string, values: Uint8Array, { version = 1, order = 'False' } = {}): Uint8Array {
  const dictionary = `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`
  const start = version === 1 ? 10 : 12
  const padded = `${dictionary.padEnd(Math.ceil((start + dictionary.length + 1) / 64) * 64 - start - 1)}\n`
  const bytes = new Uint8Array(start + padded.length + values.length)
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0])
  new DataView(bytes.buffer)[version === 1 ? 'setUint16' : 'setUint32'](8, padded.length, true)
  bytes.set(new TextEncoder().encode(padded), start)
  bytes.set(values, start + padded.length)
  return bytes
}
const bytesOf = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
/** The bytes of each value the other way round. */
const swapped = (bytes: Uint8Array, size: number): Uint8Array =>
  bytes.map((_, i) => bytes[i - (i % size) + size - 1 - (i % size)]!)

describe('NPY', () => {
  it('reads every type in both byte orders, every version, gzip or not', () => {
    const cases = [
      ['i1', Int8Array.of(-3, 7), 'int8'],
      ['u2', Uint16Array.of(65_535, 7), 'uint16'],
      ['i2', Int16Array.of(-30_000, 7), 'int16'],
      ['u4', Uint32Array.of(2 ** 32 - 1, 7), 'uint32'],
      ['i4', Int32Array.of(-(2 ** 31), 7), 'int32'],
      ['u8', BigUint64Array.of(2n ** 53n - 1n, 7n), 'uint64'],
      ['i8', BigInt64Array.of(-5n, 7n), 'int64'],
      ['f4', Float32Array.of(-0.5, 7), 'float32'],
      ['f8', Float64Array.of(1e-300, 7), 'float64'],
    ] as const
    for (const [code, values, type] of cases)
      for (const version of [1, 2, 3]) {
        const want = { type, shape: [2], data: Float64Array.from(values, Number) }
        const plain = npy(`'<${code}'`, '(2,)', bytesOf(values), { version })
        expect(parseNumpy(plain)).toEqual(want)
        expect(parseNumpy(new Uint8Array(gzipSync(plain)))).toEqual(want)
        const turned = swapped(bytesOf(values), values.BYTES_PER_ELEMENT)
        expect(parseNumpy(npy(`'>${code}'`, '(2,)', turned, { version }))).toEqual(want)
      }
    const pixels = npy("'|u1'", '(1, 2, 2)', Uint8Array.of(1, 2, 3, 255))
    expect(parseNumpy(pixels)).toEqual({ type: 'uint8', shape: [1, 2, 2], data: Uint8Array.of(1, 2, 3, 255) })
    expect(parseNumpy(npy("'<f8'", '()', bytesOf(Float64Array.of(2))))).toMatchObject({ shape: [] })
  })
  it('says what is wrong, and what to do', async () => {
    const two = bytesOf(Float32Array.of(1, 2))
    for (const [bytes, why, kind] of [
      [Uint8Array.of(1, 2, 3), /93 4e 55/, DatasetFormatError],
      [npy("'<f4'", '(3,)', two), /needs 12 bytes after the header, got 8/, DatasetFormatError],
      [npy("'<f4'", '(2,)', two).slice(0, 40), /header ends at byte/, DatasetFormatError],
      [npy("'<f2'", '(4,)', two), /"<f2" are not read: save .*float32/, DatasetUnsupportedError],
      [npy("'<constructor'", '(1,)', two), /"<constructor" are not read/, DatasetUnsupportedError],
      [npy("'|O'", '(1,)', two), /"\|O" are not read/, DatasetUnsupportedError],
      [npy("[('a', '<f4')]", '(2,)', two), /several fields/, DatasetUnsupportedError],
      [npy("'<f4'", '(1, 2)', two, { order: 'True' }), /ascontiguousarray/, DatasetUnsupportedError],
      [npy("'<f4'", '(1,1,1,1,1,1,1,1,2)', two), /at most 8 dimensions/, DatasetUnsupportedError],
      [npy("'<i8'", '(1,)', bytesOf(BigInt64Array.of(2n ** 60n))), /beyond the integers/, DatasetUnsupportedError],
      [npy("'<f4'", '(2,)', two, { version: 4 }), /version 1 to 3/, DatasetUnsupportedError],
    ] as const) {
      expect(() => parseNumpy(bytes)).toThrow(kind)
      expect(() => parseNumpy(bytes)).toThrow(why)
    }
    await expect(readNumpy('/nowhere/x.npy')).rejects.toThrow(DatasetFileError)
  })
  it('reads shapes as any Python wrote them, and nothing else for one', () => {
    const values = bytesOf(Float32Array.of(1, 2))
    for (const shape of ['(2L, 1L)', '(2,\n 1)', '( 2 , 1 , )'])
      expect(parseNumpy(npy("'<f4'", shape, values)).shape).toEqual([2, 1])
    for (const shape of ['(,,)', '(2 1)', '[2, 1]'])
      expect(() => parseNumpy(npy("'<f4'", shape, values))).toThrow(DatasetFormatError)
  })
  it('takes a column-major list as it is: there is one order only', () => {
    const list = npy("'<f4'", '(2,)', bytesOf(Float32Array.of(1, 2)), { order: 'True' })
    expect(parseNumpy(list).data).toEqual(Float64Array.of(1, 2))
  })
  it('ends hostile bytes in a typed error or an array', () => {
    const good = npy("'<f4'", '(2, 2)', bytesOf(Float32Array.of(1, 2, 3, 4)))
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, byte, cut) => {
        const bytes = good.slice(0, cut)
        if (at < bytes.length) bytes[at] = byte
        try {
          const { shape, data } = parseNumpy(bytes)
          expect(data.length).toBe(shape.reduce((product, d) => product * d, 1))
        } catch (error) {
          expect(error instanceof DatasetFormatError || error instanceof DatasetUnsupportedError).toBe(true)
        }
      }),
      { numRuns: 3000 },
    )
  })
})
