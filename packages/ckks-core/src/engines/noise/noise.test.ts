import { describe, expect, it } from 'vitest'
import {
  chebyshevPolynomial,
  diagonalsFromDense,
  evaluateChebyshev,
  prepareLinearTransform,
} from '../../circuits/index.ts'
import type { Engine } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import { oneprime40 as parameters } from '../../testing/test-parameters.ts'
import { createClearEngine } from '../clear/index.ts'
import { createPlanEngine } from '../plan/index.ts'
import { GaussianSource } from './gaussian.ts'
import { NoiseModel } from './noise-model.ts'

describe('GaussianSource', () => {
  it('has mean 0, variance 1 and a normal tail', () => {
    const source = new GaussianSource(3)
    const xs = Array.from({ length: 200_000 }, () => source.next())
    const mean = xs.reduce((a, b) => a + b, 0) / xs.length
    const variance = xs.reduce((a, b) => a + b * b, 0) / xs.length
    expect(Math.abs(mean)).toBeLessThan(0.01)
    expect(Math.abs(variance - 1)).toBeLessThan(0.02)
    expect(xs.filter((x) => Math.abs(x) > 2).length / xs.length).toBeCloseTo(0.0455, 2)
  })
})

describe('NoiseModel', () => {
  it('matches simulated roundings in the ring', () => {
    // tau0 + tau1 s in Z[X]/(X^N + 1), N = 64, against its formula, in coefficients
    const n = 64
    const source = new GaussianSource(5)
    let sum = 0
    const runs = 400
    for (let run = 0; run < runs; run++) {
      const tau = Array.from({ length: n }, () => source.uniform() - 0.5)
      const s = Array.from({ length: n }, () => Math.floor(source.uniform() * 3) - 1)
      let c = source.uniform() - 0.5
      for (let i = 0; i < n; i++) c += (i === 0 ? 1 : -1) * tau[i]! * s[(n - i) % n]!
      sum += c * c
    }
    const predicted = (1 + (2 * n) / 3) / 12
    expect(sum / runs / predicted).toBeGreaterThan(0.8)
    expect(sum / runs / predicted).toBeLessThan(1.25)
  })
  it('orders operations as experience does', () => {
    const model = new NoiseModel(parameters)
    expect(model.fresh('secretKey')).toBeLessThan(model.fresh('publicKey'))
    expect(model.rescale(1)).toBeLessThan(model.rescale(2))
    expect(model.encoding(4)).toBeLessThan(model.encoding(512))
    expect(model.keySwitch(8)).toBeGreaterThanOrEqual(model.keySwitch(2))
    // special primes as large as a digit: the division by P leaves little more than rounding
    expect(model.keySwitch(8) / model.rescale(1)).toBeLessThan(2 ** 6)
  })
})

/** The same circuit, predicted by the plan engine and simulated by the clear engine. */
async function compare(
  values: (i: number) => number,
  circuit: (engine: Engine, x: Ciphertext) => Ciphertext | Promise<Ciphertext>,
) {
  const slots = parameters.maxSlots
  const x = Float64Array.from({ length: slots }, (_, i) => values(i))
  const magnitude = Math.sqrt(x.reduce((a, v) => a + v * v, 0) / slots)
  const exact = createClearEngine(parameters)
  const noisy = createClearEngine(parameters, { noise: { seed: 11 } })
  const plan = createPlanEngine(parameters)
  const want = exact.readClear(await circuit(exact, exact.encryptClear(x)))
  const got = noisy.readClear(await circuit(noisy, noisy.encryptClear(x)))
  let sum = 0
  for (let i = 0; i < slots; i++) sum += (got.re[i]! - want.re[i]!) ** 2 + (got.im[i]! - want.im[i]!) ** 2
  const measured = -Math.log2(Math.sqrt(sum / slots))
  const predicted = plan.estimate(await circuit(plan, plan.input({ magnitude }))).precisionBits
  return { measured, predicted }
}

describe('predicted precision', () => {
  const wave = (i: number) => Math.cos(i * 1.7)
  const cases: [string, number, (engine: Engine, x: Ciphertext) => Ciphertext | Promise<Ciphertext>][] = [
    ['fresh', 0.1, (e, x) => e.dropLevel(x, 3)],
    ['square', 0.3, (e, x) => e.rescale(e.relinearize(e.square(x)))],
    ['square, at once', 0.3, (e, x) => e.relinearizeRescale(e.square(x))],
    ['rotations', 0.3, (e, x) => e.sum(e.rotateHoisted(x, [1, 2, 3, 4, 5, 6, 7, 8]))],
    [
      'product with a plaintext',
      0.3,
      (e, x) => e.rescale(e.mulPlain(x, e.encode(Float64Array.of(0.5, -2), { level: 8, scale: parameters.scale }))),
    ],
    [
      'three squarings of values near 1',
      0.3,
      (e, x) => {
        let y = e.addScalar(e.rescale(e.mulScalar(x, 0.01)), 1)
        for (let i = 0; i < 3; i++) y = e.rescale(e.relinearize(e.square(y)))
        return y
      },
    ],
    [
      'linear transform',
      0.5,
      async (e, x) => {
        const re = Float64Array.from({ length: 64 * 64 }, (_, i) => Math.sin(i * i))
        const t = await prepareLinearTransform(e, diagonalsFromDense({ rows: 64, columns: 64, re }, 512), { level: 8 })
        return e.rescale(e.linearTransform(x, t))
      },
    ],
    [
      'linear transform, rescaled at once',
      0.5,
      async (e, x) => {
        const re = Float64Array.from({ length: 64 * 64 }, (_, i) => Math.sin(i * i))
        const t = await prepareLinearTransform(e, diagonalsFromDense({ rows: 64, columns: 64, re }, 512), { level: 8 })
        return e.linearTransformRescale(x, t)
      },
    ],
    [
      'Chebyshev, degree 31',
      0.3,
      (e, x) =>
        evaluateChebyshev(e, x, chebyshevPolynomial(Array.from({ length: 32 }, (_, k) => 1 / (k + 1) ** 2)), {
          samples: Float64Array.from({ length: 64 }, (_, i) => wave(i + 0.5)),
        }),
    ],
  ]
  it.each(cases)('%s, within %f bits', async (_, tolerance, circuit) => {
    const { measured, predicted } = await compare(wave, circuit)
    expect(Math.abs(measured - predicted)).toBeLessThan(tolerance)
  })
})
