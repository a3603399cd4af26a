/**
 * The errors of the compiled engine stay below the bound that publication takes from the plan engine's estimate: of rotations,
 * linear transforms and polynomials, of real and complex values, in every slot and in slot 0, under several keys.
 *
 * The bound is 64 times the predicted root mean square. The noise model's own tests hold predictions to 0.5 bits for such
 * circuits, and the ends of the polynomial have twice the mean error, so at least 20 are left in every slot. A product of two
 * normal numbers (a rounding error times the secret) exceeds 20 root mean squares with probability exp(-40); a run looks at
 * 240,000 numbers, and fails by chance with probability below 2e-12.
 */
import {
  type Ciphertext,
  createPlanEngine,
  diagonalsFromDense,
  type Engine,
  evaluateChebyshev,
  insecureParametersWithFiles,
  prepareLinearTransform,
  publicationBound,
} from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { createStack, randomValues } from '../native.test-helper.ts'

const parameters = insecureParametersWithFiles({ logN: 11, levels: 5, scaleBits: 40 })
const KEYS = 3
const CIPHERTEXTS = 6

interface Circuit {
  readonly slots: number
  readonly complex: boolean
  run(engine: Engine, x: Ciphertext): Ciphertext | Promise<Ciphertext>
}

const all = 2 ** 10
const rotationSum =
  (level: number): Circuit['run'] =>
  (engine, x) =>
    engine.sum(engine.rotateHoisted(engine.dropLevel(x, level), [1, 2, 3, 4, 5, 6, 7, 8]))

/** (x + |x|) / 2 in Chebyshev polynomials. */
const RELU = Float64Array.from({ length: 15 }, (_, n) => {
  if (n < 2) return n === 0 ? 1 / Math.PI : 1 / 2
  return n % 2 === 1 ? 0 : ((n % 4 === 2 ? 1 : -1) * 2) / (Math.PI * (n * n - 1))
})

const circuits: Record<string, Circuit> = {
  'eight hoisted rotations, at the top': { slots: all, complex: false, run: rotationSum(5) },
  'eight hoisted rotations, at level 0, complex': { slots: all, complex: true, run: rotationSum(0) },
  'sixteen rotations, one after another': {
    slots: all,
    complex: true,
    run: (engine, x) => {
      let sum = engine.dropLevel(x, 2)
      for (let i = 0; i < 16; i++) sum = engine.rotate(sum, 1)
      return sum
    },
  },
  'x + conjugate(x), twice': {
    slots: all,
    complex: true,
    run: (engine, x) => {
      const once = engine.add(x, engine.conjugate(x))
      return engine.add(once, engine.conjugate(once))
    },
  },
  'a linear transform of 64 diagonals, period 64': {
    slots: 64,
    complex: false,
    run: async (engine, x) => {
      const weights = randomValues(4096, 3)
      const matrix = diagonalsFromDense({ rows: 64, columns: 64, re: weights })
      const transform = await prepareLinearTransform(engine, matrix, { level: x.level })
      return engine.rescale(engine.linearTransform(x, transform))
    },
  },
  'a square, a rotation and a square': {
    slots: all,
    complex: true,
    run: (engine, x) => {
      const square = (y: Ciphertext) => engine.rescale(engine.relinearize(engine.square(y)))
      return square(engine.rotate(square(x), 1))
    },
  },
  'relu as a polynomial of degree 14': {
    slots: all,
    complex: false,
    run: (engine, x) => evaluateChebyshev(engine, x, RELU),
  },
}

describe.each(Object.entries(circuits))('%s', (_name, { slots, complex, run }) => {
  it('has errors below the bound in every slot', async () => {
    const planner = createPlanEngine(parameters)
    // encrypted with the secret key: the bound of a plan, which takes the noise of a public key, is wider
    const error = Math.sqrt(parameters.ringDegree * (3.2 ** 2 + 1 / 12)) / parameters.scaleAt(5)
    const magnitude = complex ? Math.sqrt(2 / 3) : Math.sqrt(1 / 3)
    const planned = await run(planner, planner.input({ slots, error, magnitude }))
    // what decryption reads of a short period
    const copies = parameters.maxSlots / slots
    const bound = publicationBound(planner.estimate(planned).error / Math.sqrt(copies))
    const request = planner.report().keyRequest
    let worst = 0
    let worstFirst = 0
    for (let k = 0; k < KEYS; k++) {
      await using stack = await createStack(parameters, request)
      for (let i = 0; i < CIPHERTEXTS; i++) {
        const seed = 100 * k + 2 * i
        const im = complex ? { im: randomValues(slots, seed + 1) } : {}
        const { native, clear } = await stack.encrypt(randomValues(slots, seed), im)
        const got = await stack.read(await run(stack.server, native))
        const want = stack.clear.readClear(await run(stack.clear, clear))
        for (const half of ['re', 'im'] as const)
          for (let s = 0; s < slots; s++) {
            const distance = Math.abs(got[half][s]! - want[half][s]!)
            worst = Math.max(worst, distance)
            if (s === 0) worstFirst = Math.max(worstFirst, distance)
          }
      }
    }
    expect(worst / bound).toBeLessThan(1)
    expect(worstFirst / bound).toBeLessThan(1)
    // the bound means something
    expect(worst / bound).toBeGreaterThan(2 ** -9)
  })
})
