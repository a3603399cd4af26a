/**
 * The neurons against PyTorch, which shares nothing with this package but the definition in docs/notes/spiking-neurons.md.
 * Given the same input current the results must be equal bit for bit; given the same weights the sums may be rounded in
 * another order, and the membrane potentials may differ by no more than that can do.
 */
import { describe, expect, it } from 'vitest'
import { normalAt } from '../coding/counter-random.ts'
import {
  backwardThroughTime,
  createNeuron,
  createNeuronKernel,
  createSurrogateGradient,
  forwardThroughTime,
  hardSpike,
  type Neuron,
  type Reals,
} from '../index.ts'
import { findPyTorch, type Matrix, runPyTorch } from '../testing/pytorch.test-helper.ts'

const SEED = 31
const TIME_STEPS = 4
const NEURONS = 2500
/** Unit roundoff of single precision. */
const ROUNDOFF = 2 ** -24

const python = findPyTorch()
if (!python)
  console.warn(
    'snn-neurons: SKIPPED, no PyTorch: the neurons are not compared with another implementation (HE_ML_PYTHON names a Python)',
  )

const RESETS = ['subtract', 'zero', 'none'] as const
const neurons: readonly [string, Neuron][] = RESETS.flatMap((reset) => [
  ...[0, 0.5, 0.6, 0.9, 1].map((beta): [string, Neuron] => [
    `LIF, beta ${beta}, ${reset}`,
    createNeuron({ kind: 'lif', beta, threshold: 0.8, reset }),
  ]),
  ...[
    [0.25, 0, 0.5],
    [0.3, -0.125, 0.6],
    [0.25, 0.2, 0.2],
  ].map(([a, u1, u2]): [string, Neuron] => [
    `QIF, a ${a}, u1 ${u1}, u2 ${u2}, ${reset}`,
    createNeuron({ kind: 'qif', a, u1, u2, threshold: 0.75, reset }),
  ]),
])

const normals = (seed: number, count: number, deviation: number) =>
  Float64Array.from({ length: count }, (_, i) => deviation * normalAt(seed, i))
const matrix = (rows: number, data: Reals): Matrix => ({ shape: [rows, data.length / rows], data })
const ourRun = (neuron: Neuron, x: Reals) =>
  forwardThroughTime(createNeuronKernel(neuron), hardSpike(neuron.threshold), x, TIME_STEPS)
const bits = (values: Reals) => new Uint32Array(values.buffer, values.byteOffset, values.byteLength / 4)
const sum = (values: Iterable<number>) => Array.from(values).reduce((total, v) => total + v, 0)

describe.skipIf(!python)('PyTorch', () => {
  it('gives the same spikes and membrane potentials, bit for bit: 10,000 neuron-steps of each neuron', () => {
    const x = Float32Array.from(normals(SEED, TIME_STEPS * NEURONS, 0.8))
    const theirs = runPyTorch(
      python!,
      neurons.map(([, neuron]) => ({ neuron, x: matrix(TIME_STEPS, x) })),
    )
    for (const [i, [name, neuron]] of neurons.entries()) {
      const trace = ourRun(neuron, x)
      for (const what of ['charged', 'spikes', 'membranePotentials'] as const)
        expect(bits(trace[what]), `${name}: ${what}, seed ${SEED}`).toEqual(bits(theirs[i]![what]))
      expect(sum(trace.spikes), name).toBeGreaterThan(TIME_STEPS * NEURONS * 0.05)
    }
  })

  it('gives the same spikes for the same weights, but for what the order of a sum may change', () => {
    const inputSize = 64
    const weights = Float32Array.from(normals(SEED + 1, NEURONS * inputSize, 0.8 / 8))
    const inputs = Float32Array.from(normals(SEED + 2, TIME_STEPS * inputSize, 1))
    const { x, size } = drive(weights, inputs, inputSize)
    const theirs = runPyTorch(
      python!,
      neurons.map(([, neuron]) => ({
        neuron,
        weights: matrix(NEURONS, weights),
        inputs: matrix(TIME_STEPS, inputs),
      })),
    )
    const total = { compared: 0, doubtful: 0, different: 0 }
    for (const [i, [name, neuron]] of neurons.entries()) {
      const found = compareWithin(neuron, ourRun(neuron, x), theirs[i]!, sumMargin(size, inputSize))
      expect(found.beyond, `${name}: membrane potentials further apart than rounding allows`).toBe(0)
      expect(found.wrong, `${name}: spikes that differ although no rounding reaches the threshold`).toBe(0)
      for (const key of ['compared', 'doubtful', 'different'] as const) total[key] += found[key]
    }
    console.log(
      `same weights: ${total.different} of ${total.compared} spikes differ; ` +
        `${total.doubtful} were so near the threshold that they may`,
    )
    expect(total.compared).toBeGreaterThan(0.99 * neurons.length * TIME_STEPS * NEURONS)
    expect(total.doubtful).toBeLessThan(1e-3 * total.compared)
    expect([...x], 'the same sums would make this test an easier one').not.toEqual([...theirs[0]!.x])
  })
})

/** x = inputs weights', summed in single precision from the last term to the first; and the sums of the terms' sizes. */
function drive(weights: Reals, inputs: Reals, inputSize: number) {
  const x = new Float32Array(TIME_STEPS * NEURONS)
  const size = new Float64Array(x.length)
  for (let t = 0; t < TIME_STEPS; t++)
    for (let n = 0; n < NEURONS; n++)
      for (let k = inputSize - 1; k >= 0; k--) {
        const [w, value] = [weights[n * inputSize + k]!, inputs[t * inputSize + k]!]
        const at = t * NEURONS + n
        x[at] = x[at]! + Math.fround(w * value)
        size[at] = size[at]! + Math.abs(w * value)
      }
  return { x, size }
}

/** Two sums of `terms` products in any two orders differ by at most 2 gamma sum |terms|, gamma = n e / (1 - n e). */
const sumMargin = (size: Float64Array, terms: number) =>
  size.map((s) => (2 * terms * ROUNDOFF * s) / (1 - terms * ROUNDOFF))

interface Run {
  readonly charged: Reals
  readonly spikes: Reals
  readonly membranePotentials: Reals
}

/**
 * Follows a bound of the difference of two runs whose inputs differ by at most `inputMargin`. A neuron whose spikes differ
 * where they may is left out from then on.
 */
function compareWithin(neuron: Neuron, ours: Run, theirs: Run, inputMargin: Float64Array) {
  const found = { compared: 0, beyond: 0, wrong: 0, doubtful: 0, different: 0 }
  for (let n = 0; n < NEURONS; n++) {
    let [u, margin] = [0, 0]
    for (let t = 0; t < TIME_STEPS; t++) {
      const at = t * NEURONS + n
      const v = ours.charged[at]!
      margin = chargeMargin(neuron, u, v, margin) + inputMargin[at]!
      const isDoubtful = Math.abs(v - Math.fround(neuron.threshold)) <= margin
      const differs = ours.spikes[at] !== theirs.spikes[at]
      found.compared++
      if (!(Math.abs(v - theirs.charged[at]!) <= margin)) found.beyond++
      if (isDoubtful) found.doubtful++
      if (differs) found.different++
      if (differs && !isDoubtful) found.wrong++
      if (differs) break
      u = ours.membranePotentials[at]!
      margin += 2 * ROUNDOFF * (Math.abs(u) + margin)
    }
  }
  return found
}

/** How far apart two charged membrane potentials can be when the membranes before were `margin` apart, x apart. */
function chargeMargin(neuron: Neuron, u: number, v: number, margin: number): number {
  if (neuron.kind === 'lif') {
    const spread = neuron.beta * margin
    return spread + 2 * ROUNDOFF * (neuron.beta * Math.abs(u) + Math.abs(v) + 2 * spread)
  }
  const { a, u1, u2 } = neuron
  const spread = a * (Math.abs(2 * u - u1 - u2) + margin) * margin
  const size = a * Math.abs((u - u1) * (u - u2)) + spread
  // two subtractions and two products round the drift, the sum rounds once more: in either run
  return spread + 2 * ROUNDOFF * (5 * size + Math.abs(v) + spread)
}

describe.skipIf(!python)('torch.autograd', () => {
  const surrogates = [
    { kind: 'rectangle', width: 0.4 },
    { kind: 'rectangle', width: 0.7, height: 0.9 },
    { kind: 'fastSigmoid', width: 0.3 },
    { kind: 'arctangent', width: 0.5 },
  ] as const
  const count = 100
  const chosen = neurons.filter(([name]) => /beta 0\.6|beta 1|QIF/.test(name))
  const cases = chosen.flatMap(([name, neuron]) =>
    surrogates.flatMap((surrogate) =>
      [false, true].map((detachReset) => ({
        name: `${name}, ${surrogate.kind}, detachReset ${detachReset}`,
        ...{ neuron, surrogate, detachReset },
      })),
    ),
  )

  it(`gives the same gradients through time in double precision, ${cases.length} cases`, () => {
    const steps = 5
    const x = normals(SEED + 3, steps * count, 0.7)
    const spikes = normals(SEED + 4, steps * count, 1)
    const membranePotentials = normals(SEED + 5, steps * count, 1)
    const theirs = runPyTorch(
      python!,
      cases.map(({ neuron, surrogate, detachReset }) => ({
        ...{ neuron, surrogate, detachReset, x: matrix(steps, x) },
        gradients: { spikes: matrix(steps, spikes), membranePotentials: matrix(steps, membranePotentials) },
      })),
    )
    let worst = 0
    for (const [i, { name, neuron, surrogate, detachReset }] of cases.entries()) {
      const kernel = createNeuronKernel(neuron)
      const spike = hardSpike(neuron.threshold, createSurrogateGradient(surrogate))
      const trace = forwardThroughTime(kernel, spike, x, steps)
      const gradients = { spikes, membranePotentials }
      const ours = backwardThroughTime(kernel, spike, trace, gradients, { detachReset })
      const want = theirs[i]!.inputGradient!
      const errors = Array.from(ours, (g, at) => Math.abs(g - want[at]!) / Math.max(1e-2, Math.abs(want[at]!)))
      const error = Math.max(...errors)
      expect(error, name).toBeLessThan(1e-12)
      worst = Math.max(worst, error)
    }
    console.log(`gradients: largest relative difference ${worst.toExponential(1)} over ${cases.length} cases`)
  })
})
