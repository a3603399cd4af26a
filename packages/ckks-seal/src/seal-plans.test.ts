import { createDefaultCostModel, createParameters, PlanError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { sealParameters } from './parameters.ts'
import { assertSealHolds, sealCostModel } from './seal-plans.ts'

describe('plans for SEAL', () => {
  it('are priced some eight times above the native engine, on one thread', () => {
    const size = { logN: 15, limbs: 16, specialLimbs: 1, digits: 16 }
    const [seal, native] = [sealCostModel(), createDefaultCostModel({ threads: 1 })]
    expect([seal.name, seal.threads]).toEqual(['seal', 1])
    for (const kind of ['rotate', 'mul', 'relinearize', 'rescale', 'mulPlain'] as const)
      expect(seal.seconds(kind, size) / native.seconds(kind, size)).toBeCloseTo(8.5, 1)
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
