import { describe, expect, it } from 'vitest'
import { recommendedParameters } from '../parameters/index.ts'
import { encodeContainer } from './container.ts'
import { isSecretKeyStart, SECRET_KEY_START_BYTES } from './secret-key-start.ts'

const parameters = recommendedParameters('N14-L6')

describe('the start of a secret key', () => {
  const header = { kind: 'secretKey', parameters: parameters.id, logN: 14 } as const
  const file = encodeContainer(header, [new Uint8Array(4096)], parameters)
  it('is told whatever follows, and in a view at any offset', () => {
    for (const length of [file.length, SECRET_KEY_START_BYTES, 512])
      expect(isSecretKeyStart(file.subarray(0, length))).toBe(true)
    const shifted = new Uint8Array(file.length + 3)
    shifted.set(file, 3)
    expect(isSecretKeyStart(shifted.subarray(3))).toBe(true)
  })
  it('is that of no other file, of none that is cut in its header, and of nothing', () => {
    const other = file.slice()
    other[0]! ^= 1
    for (const bytes of [other, file.subarray(0, 20), file.subarray(0, 3), new Uint8Array(), new Uint8Array(5000)])
      expect(isSecretKeyStart(bytes)).toBe(false)
  })
  it('is told of SEAL by its magic, the scale 1 and the magic of its residues', () => {
    const seal = new Uint8Array(80)
    seal.set([0x5e, 0xa1])
    seal.set([0x5e, 0xa1], 64)
    expect(isSecretKeyStart(seal)).toBe(false)
    new DataView(seal.buffer).setFloat64(56, 1, true)
    expect(isSecretKeyStart(seal)).toBe(true)
    // a switching key has the number of its digits there
    new DataView(seal.buffer).setBigUint64(56, 3n, true)
    expect(isSecretKeyStart(seal)).toBe(false)
  })
})
