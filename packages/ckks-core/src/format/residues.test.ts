import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FormatError } from '../errors/errors.ts'
import { parseContainer } from './container.ts'
import { packResidues, unpackResidues, validateResidues, validateSegments } from './residues.ts'
import { segmentShapes, shapeBytes } from './segment-shape.ts'
import { sampleFile, sampleParameters, samples } from './testing/samples.ts'

describe('residues', () => {
  it('are 6 bytes, little endian', () => {
    expect([...packResidues([1, 0x0102_0304_0506, 2 ** 48 - 1])]).toEqual([
      1, 0, 0, 0, 0, 0, 6, 5, 4, 3, 2, 1, 255, 255, 255, 255, 255, 255,
    ])
  })
  it('come back', () => {
    const residue = fc.integer({ min: 0, max: 2 ** 48 - 1 })
    fc.assert(fc.property(fc.array(residue), (v) => [...unpackResidues(packResidues(v))].every((x, i) => x === v[i])))
  })
  it('are refused outside [0, 2^48)', () => {
    for (const bad of [-1, 0.5, 2 ** 48, Number.NaN]) expect(() => packResidues([bad])).toThrow(/residue 0/)
  })
  it('must be below their prime: the message names limb, index and byte', () => {
    const segment = packResidues([0, 96, 97, 3, 5, 12, 1, 13])
    expect(() => validateResidues(segment, [97, 13], 4)).toThrow(/limb 0, index 2 \(byte 12 of the segment\).*97/)
    expect(() => validateResidues(packResidues([0, 96, 96, 3, 5, 12, 1, 13]), [97, 13], 4)).toThrow(/limb 1, index 3/)
    expect(() => validateResidues(segment, [97], 4)).toThrow(FormatError)
  })
})

describe('segments', () => {
  const parameters = sampleParameters
  it('have the sizes of the native engine', () => {
    const n = parameters.ringDegree
    const sizes = (kind: keyof typeof samples) =>
      segmentShapes({ ...samples[kind].header, segments: [] } as never, parameters).map((s) => shapeBytes(s, n))
    expect(sizes('ciphertext')).toEqual([32 + 2 * n * 6, 3 * n * 6])
    expect(sizes('publicKey')).toEqual([32 + 2 * n * 6])
    expect(sizes('relinearizationKey')).toEqual([32 + 3 * 2 * n * 6])
    expect(sizes('galoisKey')).toEqual([2 * 1 * 2 * n * 6])
  })
  it('pass when proper', () => {
    for (const kind of Object.keys(samples) as (keyof typeof samples)[])
      validateSegments(parseContainer(sampleFile(kind), { parameters }), parameters)
  })
  it('fail for a residue of its prime, a fourth ternary value, and a transparent ciphertext', () => {
    const broken = (kind: keyof typeof samples, change: (segments: Uint8Array[]) => void) => {
      const { header, segments } = parseContainer(sampleFile(kind).slice(), { parameters })
      change(segments as Uint8Array[])
      return () => validateSegments({ header, segments }, parameters)
    }
    expect(broken('publicKey', (s) => s[0]!.set(packResidues([parameters.qLimbs[1]!]), 32 + 1024 * 6))).toThrow(
      /segment 0: limb 1, index 0/,
    )
    expect(broken('secretKey', (s) => s[0]!.fill(0b1100, 9, 10))).toThrow(/byte 9/)
    expect(broken('ciphertext', (s) => s[1]!.fill(0, 1024 * 6))).toThrow(/readable without a key/)
  })
})
