// Measures hand-set and derived gradient windows on simulated neurons: what docs/notes/gradient-windows.md reports.
import {
  backwardThroughTime,
  createNeuron,
  createNeuronKernel,
  createSurrogateGradient,
  forwardThroughTime,
  gradientWindow,
  hardSpike,
  normalAt,
} from '../src/index.ts'

export const TIME_STEPS = 4
export const BATCH = 64
const SAMPLES = BATCH * TIME_STEPS
const SEEDS = [1, 2, 3, 4, 5]
const SEQUENCES = 100_000
/** Half-widths set by hand, in units of the threshold, with area 1. */
export const HAND = [0.25, 0.5, 1, 2]

const lif = (reset) => createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset })
const qif = (reset, a, u1, u2) => createNeuron({ kind: 'qif', a, u1, u2, threshold: 1, reset })
export const NEURONS = [
  ['LIF 0.5, subtract', lif('subtract')],
  ['LIF 0.5, zero', lif('zero')],
  ['QIF 0.25, 0, 0.5, subtract', qif('subtract', 0.25, 0, 0.5)],
  ['QIF 0.25, 0, 0.5, zero', qif('zero', 0.25, 0, 0.5)],
  ['QIF 1, -0.5, 0.5, zero', qif('zero', 1, -0.5, 0.5)],
]

/** Hand-set rectangles and the derived one. */
export function windowsOf(neuron) {
  const derived = gradientWindow(neuron, { timeSteps: TIME_STEPS, samples: SAMPLES })
  const hand = HAND.map((width) => ({ name: `${width}`, kind: 'rectangle', width: width * neuron.threshold }))
  return { derived, all: [...hand, { name: 'derived', ...derived.surrogate }] }
}

const normals = (seed, factor) =>
  Float64Array.from({ length: TIME_STEPS * SEQUENCES }, (_, i) => factor * normalAt(seed, i))
const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length
const spreadOf = (values) => Math.sqrt(mean(values.map((v) => (v - mean(values)) ** 2)) / (values.length - 1))

/** The minimised mismatch, from batches of simulated neuron-steps: per window its mean over seeds and standard error. */
function mismatches(neuron, { derived, all }) {
  const { membrane } = derived
  const z = (neuron.threshold - membrane.mean) / membrane.deviation
  const truth = [membrane.atThreshold, membrane.atThreshold * z]
  const kernel = createNeuronKernel(neuron)
  const perSeed = SEEDS.map((seed) => {
    const { charged } = forwardThroughTime(
      kernel,
      hardSpike(neuron.threshold),
      normals(seed, neuron.threshold),
      TIME_STEPS,
    )
    const batches = Math.floor(charged.length / SAMPLES)
    return all.map((description) => {
      const g = createSurrogateGradient(description)
      let error = 0
      for (let b = 0; b < batches; b++) {
        let [shift, stretch] = [0, 0]
        for (let i = 0; i < SAMPLES; i++) {
          const v = charged[((b * SAMPLES + i) * 7919) % charged.length]
          const value = g(v - neuron.threshold) / SAMPLES
          shift += value
          stretch += (value * (v - membrane.mean)) / membrane.deviation
        }
        error += ((shift - truth[0]) ** 2 + (stretch - truth[1]) ** 2) / batches
      }
      return Math.sqrt(error / (truth[0] ** 2 + truth[1] ** 2))
    })
  })
  return all.map((_, k) => ({ mean: mean(perSeed.map((m) => m[k])), error: spreadOf(perSeed.map((m) => m[k])) }))
}

/**
 * A check that knows nothing of the derivation: a student neuron with two inputs learns a teacher's spike count, and the
 * gradient of its expected loss by backpropagation through time is set against central differences of the loss itself.
 */
function studentGradients(neuron, { all }) {
  const { threshold } = neuron
  const kernel = createNeuronKernel(neuron)
  const spike = hardSpike(threshold)
  const weights = [threshold, 0]
  const teacher = [threshold * Math.cos(1), threshold * Math.sin(1)]
  const delta = 0.05 * threshold
  const truths = []
  const estimates = all.map(() => [])
  const powers = all.map(() => [])
  for (const seed of SEEDS) {
    const inputs = [normals(100 + seed, 1), normals(200 + seed, 1)]
    const drive = (w) => inputs[0].map((v, i) => w[0] * v + w[1] * inputs[1][i])
    const run = (w) => forwardThroughTime(kernel, spike, drive(w), TIME_STEPS)
    const counts = ({ spikes }) => {
      const sums = new Float64Array(SEQUENCES)
      for (const [i, s] of spikes.entries()) sums[i % SEQUENCES] += s
      return sums
    }
    const wanted = counts(run(teacher))
    const loss = (w) => mean(counts(run(w)).map((c, i) => (c - wanted[i]) ** 2))
    const moved = (k, by) => weights.map((w, j) => (j === k ? w + by : w))
    truths.push([0, 1].map((k) => (loss(moved(k, delta)) - loss(moved(k, -delta))) / (2 * delta)))
    const trace = run(weights)
    const now = counts(trace)
    const spikes = trace.spikes.map((_, i) => 2 * (now[i % SEQUENCES] - wanted[i % SEQUENCES]))
    for (const [k, description] of all.entries()) {
      const surrogate = hardSpike(threshold, createSurrogateGradient(description))
      const toInput = backwardThroughTime(kernel, surrogate, trace, { spikes })
      const perSequence = inputs.map((values) => {
        const sums = new Float64Array(SEQUENCES)
        for (const [i, g] of toInput.entries()) sums[i % SEQUENCES] += g * values[i]
        return sums
      })
      estimates[k].push(perSequence.map(mean))
      powers[k].push(mean(perSequence[0].map((g, i) => g ** 2 + perSequence[1][i] ** 2)))
    }
  }
  const truth = [0, 1].map((k) => mean(truths.map((t) => t[k])))
  const size = Math.hypot(...truth)
  return all.map((_, k) => {
    const g = [0, 1].map((j) => mean(estimates[k].map((e) => e[j])))
    const bias = Math.hypot(g[0] - truth[0], g[1] - truth[1]) / size
    const variance = (mean(powers[k]) - g[0] ** 2 - g[1] ** 2) / BATCH / size ** 2
    return {
      bias,
      cosine: (g[0] * truth[0] + g[1] * truth[1]) / Math.hypot(...g) / size,
      batch: Math.sqrt(bias ** 2 + variance),
    }
  })
}

/** Everything the note's tables hold, neuron by neuron. */
export function measureAll() {
  return NEURONS.map(([name, neuron]) => {
    const windows = windowsOf(neuron)
    return { name, neuron, windows, mismatch: mismatches(neuron, windows), gradient: studentGradients(neuron, windows) }
  })
}
