import { createDefaultCostModel, createParameters, OPERATION_KINDS, PlanError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { sealParameters } from './parameters.ts'
import { assertSealHolds, sealCostModel } from './seal-plans.ts'

describe('plans for SEAL', () => {
  it('are priced some eight times above the native engine, on one thread', () => {
    const size = { logN: 15, limbs: 16, specialLimbs: 1, digits: 16 }
    const [seal, native] = [sealCostModel(), createDefaultCostModel({ threads: 1 })]
    expect([seal.name, seal.threads]).toEqual(['seal', 1])
    for (const kind of ['rotate', 'relinearize', 'rescale', 'conjugate'] as const)
      expect(seal.seconds(kind, size) / native.seconds(kind, size)).toBeCloseTo(8.5, 1)
    // what SEAL has no operation for is priced with those that stand for it
    const free = OPERATION_KINDS.filter((kind) => !(seal.seconds(kind, size) > 0))
    expect(free).toEqual(['decompose', 'modDown'])
  })
  it('have every rotation whole and every product with a number by itself, as SEAL has them', () => {
    const size = { logN: 14, limbs: 8, specialLimbs: 1, digits: 8 }
    const { seconds } = sealCostModel()
    expect(seconds('decompose', size) + 3 * seconds('hoistedRotation', size)).toBe(3 * seconds('rotate', size))
    expect(seconds('transformBaby', size)).toBe(seconds('rotate', size))
    expect(seconds('matrixProduct', size)).toBe(seconds('mulScalar', size) + seconds('add', size))
    // a multiply-add of a product by a matrix is the native engine's cheapest work
    const native = createDefaultCostModel({ threads: 1 }).seconds('matrixProduct', size)
    expect(seconds('matrixProduct', size) / native).toBeCloseTo(102, 0)
  })
  it('end where its heap does', () => {
    // 16 primes of 2^15 residues and a special one: 15 digits of two halves, 8 bytes each
    const parameters = createParameters(sealParameters({ logN: 15, levels: 14, scaleBits: 36 }))
    const key = 2 * 15 * 16 * 2 ** 15 * 8
    const most = Math.floor(3.4e9 / key)
    expect(() => assertSealHolds({ parameters, keysAtOnce: most, valueBytes: 0 })).not.toThrow()
    expect(() => assertSealHolds({ parameters, keysAtOnce: most + 1, valueBytes: 0 })).toThrow(PlanError)
    expect(() => assertSealHolds({ parameters, keysAtOnce: 2, valueBytes: 3.3e9 })).toThrow(
      /2 keys of 0\.1 GB each beside 3\.3 GB/,
    )
    expect(() => assertSealHolds({ parameters, keysAtOnce: 0, valueBytes: 3.4e9 })).not.toThrow()
  })
})
