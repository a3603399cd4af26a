import { expect, it } from 'vitest'
import { InvalidArgumentError, PlanError } from '../errors/errors.ts'
import { recommendedLogQP } from '../parameters/recommended.ts'
import { designFunctional, type FunctionalNeed } from './design-functional.ts'

const need: FunctionalNeed = { levels: 2, functionLevels: 7, points: 64, rings: [15], content: 'real' }

it('takes the fastest shape, and the most bits that cost no time', async () => {
  const [wide, wider] = await Promise.all([16, 40].map((margin) => designFunctional({ ...need, margin })))
  for (const [margin, design] of [
    [16, wide!],
    [40, wider!],
  ] as const) {
    expect(design.margin).toBeGreaterThan(margin)
    expect(design.request.spec.functionLevels).toBe(7)
    // primes of half a word, but the base
    expect(design.set.parameters.qLimbs.slice(1).every((prime) => prime < 2 ** 32)).toBe(true)
    // a quarter of a bit more each would not be secure
    const { logQP, qLimbs } = design.set.parameters
    expect(logQP + (qLimbs.length + 3) / 4).toBeGreaterThan(0.97 * 868)
    expect(logQP).toBeLessThanOrEqual(recommendedLogQP(15))
  }
  // more of them where errors are multiplied by a hundred, as long as they are primes of half a word
  expect(wide!.request.workBits - wide!.request.scaleBits).toBeGreaterThanOrEqual(1)
  expect(wider!.margin).toBeGreaterThan(wide!.margin)
})

it('refuses what makes no set', async () => {
  for (const bad of [
    { levels: -1 },
    { levels: 0.5 },
    { functionLevels: 0 },
    { points: 48 },
    { points: 2 },
    { points: 512 },
  ])
    await expect(designFunctional({ ...need, ...bad })).rejects.toThrow(InvalidArgumentError)
  for (const margin of [Number.NaN, 0, -3])
    await expect(designFunctional({ ...need, margin })).rejects.toThrow(/margin must be positive/)
  await expect(designFunctional({ ...need, levels: 30 })).rejects.toThrow(PlanError)
  await expect(designFunctional({ ...need, margin: 1e9 })).rejects.toThrow(/128-bit security/)
})
