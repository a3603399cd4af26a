import { createParameters, insecureParameters, maxLogQP } from '@he-ml/ckks-core'
import { expect, it } from 'vitest'
import { createContext, loadSeal } from './backend/load.ts'
import { sealParameters, sealSpec } from './parameters.ts'

it('opens SEAL at its 128-bit level, and without a level for insecure parameters alone', async () => {
  const seal = await loadSeal()
  const secure = sealSpec(createParameters(sealParameters({ logN: 12, levels: 1, scaleBits: 24 })))
  expect(secure.security).toBe(128)
  createContext(seal, secure).delete()
  const weak = sealSpec(insecureParameters(sealParameters({ logN: 12, levels: 3, scaleBits: 40 })))
  expect(weak.security).toBe(0)
  createContext(seal, weak).delete()
  // the same primes at 128 bits: SEAL's own table refuses them, whatever ours says
  expect(() => createContext(seal, { ...weak, security: 128 })).toThrow(/refuses/)
})

it("SEAL's limits are nowhere below ours, so no secure set is lost", () => {
  const SEAL_MAX_BITS: Record<number, number> = { 10: 27, 11: 54, 12: 109, 13: 218, 14: 438, 15: 881 }
  for (const [logN, bits] of Object.entries(SEAL_MAX_BITS)) expect(maxLogQP(Number(logN))).toBeLessThanOrEqual(bits)
})
