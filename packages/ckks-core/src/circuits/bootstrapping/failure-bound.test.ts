import { describe, expect, it } from 'vitest'
import { createClearEngine } from '../../engines/clear/index.ts'
import { insecureParameters } from '../../parameters/create-parameters.ts'
import { bootstrappingLiteral } from './bootstrapping-parameters.ts'
import { BOOTSTRAPPING_SETS, type BootstrappingSetName, bootstrappingSet } from './bootstrapping-sets.ts'
import { type BootstrappingSpec, bootstrappingLevels } from './bootstrapping-spec.ts'
import { angle, createEvalMod, evalModAt, evaluateEvalMod } from './eval-mod.ts'
import { FAILURE_TOLERANCE, failureBound, safeMultiple, tailBound } from './failure-bound.ts'

const names = Object.keys(BOOTSTRAPPING_SETS) as BootstrappingSetName[]
/** |I| <= 16.5 and I is an integer. */
const MULTIPLES = Array.from({ length: 33 }, (_, i) => i - 16)

/** What evalMod is off by at a multiple, in units of the range; the largest over messages of up to `range` ranges. */
function worstAt(spec: BootstrappingSpec, multiple: number, range = 1): number {
  const evalMod = createEvalMod(spec, 1)
  let worst = 0
  for (let i = -200; i <= 200; i++) {
    const message = (range * i) / 200
    worst = Math.max(worst, Math.abs(evalModAt(evalMod, angle(spec, multiple, message)) - message))
  }
  return worst
}

/** The circuit itself, without noise, on every multiple and a few messages in one ciphertext. */
function worstOfCircuit(name: BootstrappingSetName): number {
  const request = { ...BOOTSTRAPPING_SETS[name], logN: 11 }
  const parameters = insecureParameters(bootstrappingLiteral(request))
  const engine = createClearEngine(parameters, { noise: false })
  const { spec } = request
  const cases = MULTIPLES.flatMap((multiple) => [-1, -0.5, 0, 0.5, 1].map((message) => ({ multiple, message })))
  const slots = new Float64Array(256)
  for (const [i, { multiple, message }] of cases.entries()) slots[i] = angle(spec, multiple, message)
  const level = parameters.maxLevel - bootstrappingLevels(spec).coeffsToSlots
  const { re } = engine.readClear(
    evaluateEvalMod(engine, engine.encryptClear(slots, { level }), createEvalMod(spec, 1)),
  )
  return Math.max(...cases.map(({ message }, i) => Math.abs(re[i]! - message)))
}

describe.each(names)('the bound of %s', (name) => {
  const { parameters, spec } = bootstrappingSet(name)
  it('is 0: no multiple that occurs comes out more than 2^-8 wrong, however the circuit is adapted', () => {
    for (const adapt of [{}, { slots: 16 }, { content: 'real' }, { arcsine: 3 }] as const)
      expect(failureBound(parameters.ringDegree, { ...spec, ...adapt })).toBe(0)
    for (const multiple of MULTIPLES) expect(worstAt(spec, multiple)).toBeLessThan(FAILURE_TOLERANCE)
  })
  it('holds for the circuit', () => {
    expect(worstOfCircuit(name)).toBeLessThan(FAILURE_TOLERANCE)
  })
  it('is about values within the range only', () => {
    // the bend grows with the cube: 16 ranges are too many for either set
    expect(worstAt(spec, 0, 16)).toBeGreaterThan(FAILURE_TOLERANCE)
    // half of q0 and more look like another multiple
    const half = 2 ** (spec.logMessageRatio - 1)
    expect(Math.abs(evalModAt(createEvalMod(spec, 1), angle(spec, 0, half)))).toBeLessThan(1)
  })
})

describe('a series of too low a degree', () => {
  const { parameters, spec } = bootstrappingSet('N16-B10')
  it('fails where it is wrong: with the probability of the multiples beyond', () => {
    // measured: degree 26 is 2^-6.3 off at 15 and 2^-2.4 at 16, but 2^-8.3 at 14
    const low = { ...spec, degree: 26 }
    expect(safeMultiple(low)).toBe(14)
    expect(worstAt(low, 14)).toBeLessThan(FAILURE_TOLERANCE)
    expect(worstAt(low, 15)).toBeGreaterThan(FAILURE_TOLERANCE)
    expect(failureBound(parameters.ringDegree, low)).toBe(parameters.ringDegree * tailBound(14.5))
  })
  it('always fails where it is wrong at 0', () => {
    expect(safeMultiple({ ...spec, degree: 20 })).toBe(-1)
    expect(failureBound(parameters.ringDegree, { ...spec, degree: 20 })).toBe(1)
  })
})

describe('the tail of a sum of 33 uniform numbers', () => {
  /** P(|sum| > 16.5 - k), exactly: twice the volume of a corner of the cube, inclusion and exclusion. */
  const exact = (k: number): number => {
    let sum = 0
    let choose = 1
    for (let j = 0; j < k; j++) {
      sum += (-1) ** j * choose * (k - j) ** 33
      choose = (choose * (33 - j)) / (j + 1)
    }
    for (let j = 2; j <= 33; j++) sum /= j
    return 2 * sum
  }
  it.each([1, 2, 3, 4])('beyond 16.5 - %i is bounded, within a factor of 64', (k) => {
    expect(tailBound(16.5 - k)).toBeGreaterThan(exact(k))
    expect(tailBound(16.5 - k)).toBeLessThan(64 * exact(k))
  })
  it('ends at 16.5', () => {
    expect(tailBound(16.5)).toBe(0)
    expect(tailBound(16.4)).toBeGreaterThan(0)
  })
})
