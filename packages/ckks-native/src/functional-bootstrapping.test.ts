/** Functional bootstraps in a ring too small to be secure: the circuit is the one of the full sets. */
import {
  type Ciphertext,
  FUNCTIONAL_SETS,
  type FunctionalRequest,
  type FunctionalSpec,
  fourierExtension,
  functionalLiteral,
  gridFunction,
  insecureParametersWithFiles,
  MissingKeyError,
} from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { slotErrors } from './bootstrapping.test-helper.ts'
import {
  ANGLE,
  angleDeviation,
  createFunctionalStack,
  gridStep,
  gridValues,
} from './functional-bootstrapping.test-helper.ts'
import { fileDigest } from './native.test-helper.ts'

function small(change: Partial<FunctionalSpec> = {}) {
  const base: FunctionalRequest = FUNCTIONAL_SETS['N16-P64']
  const spec = { ...base.spec, slots: 2 ** 9, ...change }
  const literal = functionalLiteral({ ...base, logN: 10, scaleBits: 29.98, workBits: 29.98, spec })
  return { spec, parameters: insecureParametersWithFiles(literal) }
}

describe('functional bootstrapping under encryption', () => {
  it.each([
    ['all slots', {}],
    ['few slots', { slots: 32 }],
    ['real content', { content: 'real' }],
    ['other factors', { slotsToCoeffs: 2, coeffsToSlots: 5 }],
  ] as const)('%s: exact, as precise and as sure as planned', async (_, change) => {
    const points = 16
    const { spec, parameters } = small(change)
    const occurs = ({ index }: { index: number }) => index > -7 && index < 6
    const all = Array.from({ length: points }, (_, i) => ({ index: i - 8, value: (i - 8 - (i >= 12 ? 4 : 0)) / 2 }))
    const reset = gridFunction({ points, values: all.filter(occurs) })
    // the points of the first function are those that occur
    const functions = [reset, gridStep(points), ...ANGLE]
    const { stack, circuit, prepared, plannedBits, estimate } = await createFunctionalStack(
      parameters,
      spec,
      points,
      functions,
    )
    await using _stack = stack
    const random = gridValues(12, spec.slots, 7)
    const { re } = random
    const im = spec.content === 'complex' ? random.im : new Float64Array(spec.slots)
    const { native } = await stack.encrypt(re, { im, level: circuit.inputLevel })
    const outputs = prepared.evaluate(stack.server, native, functions, { period: points })
    const read = await Promise.all(outputs.map((y) => stack.read(y)))
    const imaginary = (f: (k: number) => number) =>
      spec.content === 'complex' ? im.map(f) : new Float64Array(im.length)
    for (const [i, f] of functions.slice(0, 2).entries()) {
      const at = (k: number) => f.at(k / points)
      const { rms, worst } = slotErrors(read[i]!, { re: re.map(at), im: imaginary(at) })
      expect(outputs[i]!.level).toBe(circuit.outputLevel)
      expect(worst).toBeGreaterThan(8)
      // cleaning squares errors, and those of few slots are planned on the safe side
      expect(Math.abs(rms - plannedBits[i]!)).toBeLessThan([1.5, 2.5][i]!)
    }
    const deviation = angleDeviation(points, re, read[2]!.re, read[3]!.re)
    expect(Math.abs(Math.log2(deviation / (points * estimate.deviation)))).toBeLessThan(1)
  })

  it('in lock step: the bits of one after the other', async () => {
    const points = 16
    const functions = [gridStep(points), ANGLE[0]]
    const { spec, parameters } = small()
    const { stack, circuit, prepared } = await createFunctionalStack(parameters, spec, points, functions)
    await using _stack = stack
    const { server } = stack
    const inputs: Ciphertext[] = []
    for (let i = 0; i < 3; i++) {
      const { re } = gridValues(12, spec.slots, i)
      inputs.push((await stack.encrypt(re, { level: circuit.inputLevel + (i % 2) })).native)
    }
    const [a, b, c] = inputs as [Ciphertext, Ciphertext, Ciphertext]
    const options = { period: points }
    const alone = [
      ...prepared.evaluateReal(server, [a, b], functions, options),
      ...prepared.evaluateReal(server, [c], functions, options),
    ]
    const together = prepared.evaluateTogether(server, [[a, b], [c]], functions, options)
    expect(together.map(({ length }) => length)).toEqual([2, 2, 2])
    const digests = (made: Ciphertext[][]) => Promise.all(made.flat().map((x) => fileDigest(server, x)))
    const wanted = await digests(alone)
    expect(new Set(wanted).size).toBe(6)
    expect(await digests(together)).toEqual(wanted)
  })

  it('a function of real values', async () => {
    const relu = fourierExtension((u) => Math.max(0, u), { period: 4, range: [-1, 1], degree: 31 })
    const { spec, parameters } = small()
    const { stack, circuit, prepared } = await createFunctionalStack(parameters, spec, 4, [relu])
    await using _stack = stack
    const re = Float64Array.from({ length: spec.slots }, (_, i) => (2 * i) / spec.slots - 1)
    const { native } = await stack.encrypt(re, { level: circuit.inputLevel })
    const [y] = prepared.evaluate(stack.server, native, [relu], { period: 4 })
    const got = await stack.read(y!)
    for (const [i, u] of re.entries()) expect(Math.abs(got.re[i]! - Math.max(0, u))).toBeLessThan(relu.error + 0.01)
  })

  it('without its keys it says which one is missing', async () => {
    const { spec, parameters } = small()
    const { stack, circuit, prepared } = await createFunctionalStack(parameters, spec, 16, [gridStep(16)])
    await using _stack = stack
    const { native } = await stack.encrypt(gridValues(16, spec.slots, 1).re, { level: circuit.inputLevel })
    stack.server.unloadKeys()
    expect(() => prepared.evaluate(stack.server, native, [gridStep(16)], { period: 16 })).toThrow(MissingKeyError)
  })
})
