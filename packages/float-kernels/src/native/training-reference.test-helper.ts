/** Neurons, normalisation and pooling one value at a time, from their definitions: the results must be these to the bit. */
import type { Instruction, Program } from '../neurons/program.ts'
import type {
  ChannelMoments,
  ChannelScaling,
  ChannelSizes,
  ChannelSums,
  NormalizationBackward,
} from '../port/channel-tasks.ts'
import type { NeuronBackward, NeuronTask } from '../port/neuron-tasks.ts'
import type { PoolSizes } from '../port/pool-tasks.ts'

const { fround } = Math

function compute(instruction: Instruction, r: readonly number[]): number {
  const a = r[instruction.a]!
  switch (instruction.kind) {
    case 'add':
      return a + r[instruction.b]!
    case 'sub':
      return a - r[instruction.b]!
    case 'mul':
      return a * r[instruction.b]!
    case 'square':
      return a * a
    case 'scale':
      return a * fround(instruction.constant)
    case 'addConstant':
      return a + fround(instruction.constant)
  }
}

function registersOf(program: Program, x: number, y: number): number[] {
  const r = [x, y]
  for (const instruction of program.instructions) r.push(fround(compute(instruction, r)))
  return r
}

const evaluate = (program: Program, x: number, y: number): number => registersOf(program, x, y)[program.output]!

/** What an instruction's operands get of its adjoint: register and factor. */
function shares(instruction: Instruction, r: readonly number[]): readonly (readonly [number, number])[] {
  const { a } = instruction
  switch (instruction.kind) {
    case 'add':
      return [
        [a, 1],
        [instruction.b, 1],
      ]
    case 'sub':
      return [
        [a, 1],
        [instruction.b, -1],
      ]
    case 'mul':
      return [
        [a, r[instruction.b]!],
        [instruction.b, r[a]!],
      ]
    case 'square':
      return [
        [a, r[a]!],
        [a, r[a]!],
      ]
    case 'scale':
      return [[a, fround(instruction.constant)]]
    case 'addConstant':
      return [[a, 1]]
  }
}

function pullBack(program: Program, x: number, y: number, gradient: number): readonly [number, number] {
  const r = registersOf(program, x, y)
  const adjoints = new Map([[program.output, gradient]])
  for (let k = program.instructions.length - 1; k >= 0; k--) {
    const g = adjoints.get(2 + k)
    if (g === undefined) continue
    for (const [register, factor] of shares(program.instructions[k]!, r)) {
      const before = adjoints.get(register)
      adjoints.set(register, fround(before === undefined ? g * factor : before + g * factor))
    }
  }
  return [adjoints.get(0) ?? 0, adjoints.get(1) ?? 0]
}

function rounded({ grid }: NeuronTask<Float32Array>, v: number): number {
  if (!grid) return v
  // halves upwards, and what single precision has made of them
  const index = Math.floor(v / grid.step + (0.5 + 2 ** -10))
  return fround(Math.min(grid.count / 2 - 1, Math.max(-grid.count / 2, index)) * grid.step)
}

/** What the grid makes of the gradient of an unrounded v. */
function throughGrid(
  { grid, pull = 0 }: Omit<NeuronBackward<Float32Array>, 'inputGradient'>,
  v: number,
  gradient: number,
) {
  if (!grid) return gradient
  const [low, high] = [(-grid.count / 2) * grid.step - grid.step / 2, (grid.count / 2 - 1) * grid.step + grid.step / 2]
  if (v >= low && v < high) return gradient
  return pull === 0 ? 0 : fround(pull * (v - (v < low ? low : high)))
}

function slopeOf({ kind, width, height }: NeuronBackward<Float32Array>['surrogate'], z: number): number {
  if (kind === 'rectangle') return fround(Math.abs(z) <= width ? height : 0)
  const r = Math.abs(z) / width
  return fround(kind === 'fastSigmoid' ? height / ((1 + r) * (1 + r)) : height / (1 + r * r))
}

/** x of neuron i at step t. */
const inputOf = ({ inputSteps, input }: NeuronTask<Float32Array>, size: number, i: number, t: number): number =>
  input[(inputSteps === 1 ? 0 : t) * size + i]!

export function neuronsReference(model: NeuronTask<Float32Array>) {
  const size = model.input.length / model.inputSteps
  const [spikes, membranePotentials, charged] = Array.from(
    { length: 3 },
    () => new Float32Array(size * model.timeSteps),
  ) as [Float32Array, Float32Array, Float32Array]
  for (let i = 0; i < size; i++)
    for (let t = 0, u = 0; t < model.timeSteps; t++) {
      const v = rounded(model, evaluate(model.charge, u, inputOf(model, size, i, t)))
      const s = v >= fround(model.threshold) ? 1 : 0
      u = evaluate(model.reset, v, s)
      charged[t * size + i] = v
      spikes[t * size + i] = s
      membranePotentials[t * size + i] = u
    }
  return { spikes, membranePotentials, charged }
}

export function neuronsBackwardReference(job: Omit<NeuronBackward<Float32Array>, 'inputGradient'>): Float32Array {
  const { timeSteps, inputSteps, input, membranePotentials, spikeGradient, membraneGradient } = job
  const size = input.length / inputSteps
  const inputGradient = new Float32Array(input.length)
  for (let i = 0; i < size; i++) {
    let carried = 0
    const perStep: number[] = []
    for (let t = timeSteps - 1; t >= 0; t--) {
      const at = t * size + i
      if (membraneGradient) carried = fround(carried + membraneGradient[at]!)
      const [u, x] = [t === 0 ? 0 : membranePotentials[at - size]!, inputOf(job, size, i, t)]
      const exact = evaluate(job.charge, u, x)
      const v = rounded(job, exact)
      const [direct, through] = pullBack(job.reset, v, v >= fround(job.threshold) ? 1 : 0, carried)
      const spike = (job.detachReset ? 0 : through) + (spikeGradient?.[at] ?? 0)
      const total = fround(direct + spike * slopeOf(job.surrogate, v - job.threshold))
      const [before, own] = pullBack(job.charge, u, x, throughGrid(job, exact, total))
      carried = before
      perStep[t] = own
    }
    if (inputSteps === timeSteps) for (const [t, g] of perStep.entries()) inputGradient[t * size + i] = g
    else for (const g of perStep) inputGradient[i] = inputGradient[i]! + g
  }
  return inputGradient
}

/** Sum over a channel in the documented order. */
function channelSum({ images, channels, positions }: ChannelSizes, channel: number, term: (at: number) => number) {
  let sum = 0
  for (let n = 0; n < images; n++) {
    const lanes = [0, 0, 0, 0, 0, 0, 0, 0]
    for (let p = 0; p < positions; p++) lanes[p % 8]! += term((n * channels + channel) * positions + p)
    for (const half of [4, 2, 1]) for (let i = 0; i < half; i++) lanes[i]! += lanes[i + half]!
    sum += lanes[0]!
  }
  return sum
}

const perChannel = ({ channels }: ChannelSizes, fn: (channel: number) => number): Float64Array =>
  Float64Array.from({ length: channels }, (_, c) => fn(c))

export function momentsReference(job: Omit<ChannelMoments<Float32Array>, 'mean' | 'variance'>) {
  const { input } = job
  const count = job.images * job.positions
  const mean = perChannel(job, (c) => channelSum(job, c, (i) => input[i]!) / count)
  const squared = (x: number) => x * x
  const variance = perChannel(job, (c) => channelSum(job, c, (i) => squared(input[i]! - mean[c]!)) / count)
  return { mean, variance }
}

export function sumsReference(job: Omit<ChannelSums<Float32Array>, 'plain' | 'weighted'>) {
  const { gradient, input } = job
  return {
    plain: perChannel(job, (c) => channelSum(job, c, (i) => gradient[i]!)),
    weighted: perChannel(job, (c) => channelSum(job, c, (i) => gradient[i]! * input[i]!)),
  }
}

const channelOf = ({ channels, positions }: ChannelSizes, i: number): number => Math.floor(i / positions) % channels

export const scaleReference = (job: Omit<ChannelScaling<Float32Array>, 'output'>): Float32Array =>
  job.input.map((x, i) => job.scale[channelOf(job, i)]! * x + job.shift[channelOf(job, i)]!)

export const normalizationReference = (job: Omit<NormalizationBackward<Float32Array>, 'inputGradient'>): Float32Array =>
  job.gradient.map((g, i) => {
    const c = channelOf(job, i)
    return job.factor[c]! * (g - job.average[c]! - (job.input[i]! - job.centre[c]!) * job.slope[c]!)
  })

/** Results of a pooling. */
export function pooledLength({ planes, height, width, kernel, stride }: PoolSizes): number {
  return planes * (Math.floor((height - kernel) / stride) + 1) * (Math.floor((width - kernel) / stride) + 1)
}

/** All four poolings at once. */
export function poolsReference(sizes: PoolSizes, input: Float32Array, outputGradient: Float32Array) {
  const { planes, height, width, kernel, stride } = sizes
  const [means, largest] = [new Float32Array(outputGradient.length), new Float32Array(outputGradient.length)]
  const winners = new Uint32Array(outputGradient.length)
  const [spread, rewarded] = [new Float32Array(input.length), new Float32Array(input.length)]
  let to = 0
  for (let plane = 0; plane < planes; plane++)
    for (let top = 0; top + kernel <= height; top += stride)
      for (let left = 0; left + kernel <= width; left += stride, to++) {
        const window = Array.from({ length: kernel * kernel }, (_, k) => {
          return (plane * height + top + Math.floor(k / kernel)) * width + left + (k % kernel)
        })
        const g = outputGradient[to]!
        means[to] = window.reduce((sum, at) => sum + input[at]!, 0) / window.length
        for (const at of window) spread[at] = spread[at]! + g / window.length
        const best = window.reduce((winner, at) => (input[at]! > input[winner]! ? at : winner))
        largest[to] = input[best]!
        winners[to] = best
        rewarded[best] = rewarded[best]! + g
      }
  return { means, spread, largest, winners, rewarded }
}
