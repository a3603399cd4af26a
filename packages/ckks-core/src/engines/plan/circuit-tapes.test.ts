/** Counting a circuit again tells the same as running it again. */
import { describe, expect, it } from 'vitest'
import { chebyshevPolynomial, evaluateChebyshev, evaluateComposite } from '../../circuits/polynomial/index.ts'
import { DisposedError } from '../../errors/errors.ts'
import { createParameters } from '../../parameters/create-parameters.ts'
import type { Ciphertext } from '../../port/handles.ts'
import { createPlanEngine, type PlanEngine } from './plan-engine.ts'

const parameters = createParameters({ logN: 15, levels: 8, scaleBits: 36, dnum: 4 })
const seventh = chebyshevPolynomial([0.1, 1, 0, -0.5, 0, 0.2, 0, 0.1])
const third = chebyshevPolynomial([0, 1, 0.3, 0.2])

/** The same engine without a memory. */
function forgetful(): PlanEngine {
  const engine = createPlanEngine(parameters)
  Object.assign(engine, { repeat: undefined })
  return engine
}

type Work = (engine: PlanEngine, x: Ciphertext) => Ciphertext

const works: Record<string, Work> = {
  'a polynomial': (engine, x) => evaluateChebyshev(engine, x, seventh),
  'a polynomial at another scale': (engine, x) => evaluateChebyshev(engine, x, seventh, { targetScale: 2 ** 35 }),
  'a composite': (engine, x) => evaluateComposite(engine, x, [third, seventh]),
  'one within another': (engine, x) => {
    const circuit = () => evaluateChebyshev(engine, x, seventh)
    const result = engine.repeat?.({ objects: [third], numbers: [] }, x, circuit) ?? circuit()
    engine.declareMagnitude(result, 1)
    engine.declareError(result, 2 ** -10)
    return result
  },
  'one polynomial at several scales in turn': (engine, x) => {
    using low = evaluateChebyshev(engine, x, seventh, { targetScale: 2 ** 34 })
    using high = evaluateChebyshev(engine, x, seventh, { targetScale: 2 ** 35 })
    using same = engine.mulScalar(low, 1, 2)
    return engine.add(same, high)
  },
}

/** What is known after some inputs, of two levels and several errors, have gone through. */
function history(engine: PlanEngine, work: Work) {
  const facts: unknown[] = []
  const held: Ciphertext[] = []
  for (const [level, error] of [
    [8, 1e-6],
    [8, 1e-3],
    [7, 1e-4],
    [8, 1e-5],
    [7, 1e-2],
  ] as const) {
    const since = engine.checkpoint()
    const result = work(engine, engine.input({ level, error, magnitude: 0.5 }))
    held.push(result)
    const { scale, slots, degree, level: left } = result
    facts.push({ scale, slots, degree, left, ...engine.estimate(result) }, engine.report({ since }), engine.memory())
  }
  return { facts, whole: engine.report(), progress: engine.progress() }
}

describe('circuits that are counted again', () => {
  it.each(Object.keys(works))('tell the same as when they run again: %s', (name) => {
    const work = works[name]!
    expect(history(createPlanEngine(parameters), work)).toEqual(history(forgetful(), work))
  })

  it('are not run again', () => {
    const engine = createPlanEngine(parameters)
    let runs = 0
    const identity = { objects: [seventh], numbers: [1] }
    const once = (x: Ciphertext, numbers = identity.numbers) =>
      engine.repeat({ ...identity, numbers }, x, () => {
        runs++
        return engine.rescale(x)
      })
    once(engine.input())
    once(engine.input())
    expect(runs).toBe(1)
    once(engine.input({ level: 7 }))
    once(engine.input(), [2])
    expect(runs).toBe(3)
    once(engine.input({ slots: 4 }))
    expect(runs).toBe(4)
    once(engine.input({ level: 7 }))
    expect(runs).toBe(4)
  })

  it('want an input that is there', () => {
    const engine = createPlanEngine(parameters)
    evaluateChebyshev(engine, engine.input(), seventh)
    const gone = engine.input()
    gone.dispose()
    const before = engine.memory()
    expect(() => evaluateChebyshev(engine, gone, seventh)).toThrow(DisposedError)
    expect(engine.memory()).toEqual(before)
  })
})
