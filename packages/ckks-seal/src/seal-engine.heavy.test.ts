import { createParameters, evaluateChebyshev } from '@he-ml/ckks-core'
import { expect, it } from 'vitest'
import { sealParameters } from './parameters.ts'
import { precisionBits, values } from './testing/party.ts'

it('a degree 15 polynomial and a rotation at N = 2^14, 128-bit secure', async () => {
  const parameters = createParameters(sealParameters({ logN: 14, levels: 5, scaleBits: 40 }))
  const coefficients = Float64Array.from({ length: 16 }, (_, i) => 1 / (1 + i * i))
  const bits = await precisionBits(parameters, [{ re: values(parameters.maxSlots, 9) }], (e, [x]) =>
    e.rotate(evaluateChebyshev(e, x!, coefficients), 5),
  )
  expect(bits).toBeGreaterThan(18)
})
