/**
 * Neurons, normalisation and pooling in f32: the jobs of a training step that are no matrix products. Results are the same
 * bits on every kernel and any number of threads: what double precision computes in the order given here, rounded to f32
 * where said. All outputs are overwritten.
 */

/** Index of a register of a {@link Program}: the inputs come first, then one for every instruction. */
export type Register = number

/** One operation on registers, rounded to f32; its result is the register after all earlier ones. */
export type Instruction =
  | { readonly kind: 'add' | 'sub' | 'mul'; readonly a: Register; readonly b: Register }
  | { readonly kind: 'square'; readonly a: Register }
  | { readonly kind: 'scale' | 'addConstant'; readonly a: Register; readonly constant: number }

/** A recurrence recorded as a straight line of at most 64 operations on two inputs. */
export interface Program {
  /** 2 */
  readonly inputs: number
  readonly instructions: readonly Instruction[]
  readonly output: Register
}

/** Stands for the derivative of the step at distance z: with r = |z| / width, height where r <= 1; height / (1 + r)^2; height / (1 + r^2). */
export interface Surrogate {
  readonly kind: 'rectangle' | 'fastSigmoid' | 'arctangent'
  /** Positive. */
  readonly width: number
  readonly height: number
}

/** The points k * step for k = -count / 2 .. count / 2 - 1. */
export interface MembraneGrid {
  /** Positive. */
  readonly step: number
  /** Even, up to 2^32. */
  readonly count: number
}

/**
 * Neurons over time from u = 0: v = charge(u, x), rounded to the grid if there is one (halves upwards, then clipped); s = 1
 * where v >= threshold rounded to f32, else 0; u = reset(v, s).
 */
export interface NeuronModel {
  /** Inputs u and x. */
  readonly charge: Program
  /** Inputs v and s. */
  readonly reset: Program
  readonly threshold: number
  readonly grid?: MembraneGrid | undefined
  /** At least 1. */
  readonly timeSteps: number
  /** 1: the same input at every step; else timeSteps. */
  readonly inputSteps: number
  /** x, [inputSteps, size]. */
  readonly input: Float32Array
}

/** Outputs: [timeSteps, size]. */
export interface NeuronsJob extends NeuronModel {
  readonly spikes: Float32Array
  /** u after each step. */
  readonly membranePotentials: Float32Array
  /** v after rounding. */
  readonly charged?: Float32Array | undefined
}

/**
 * Backwards through time. Adjoints are f32, what is added to one is computed in double; the surrogate is taken in double at v - threshold.
 * Where a grid clips v, its gradient is pull * (v - border) instead of what arrives, in double from the unrounded v, rounded once; the
 * borders are half a step beyond the grid's ends.
 */
export interface NeuronsBackwardJob extends NeuronModel {
  /** As {@link NeuronsJob} left them. */
  readonly membranePotentials: Float32Array
  readonly surrogate: Surrogate
  /** No gradient through the spike in the reset. */
  readonly detachReset: boolean
  /** Finite, from 0; default 0: clipped membranes get no gradient. */
  readonly pull?: number | undefined
  /** [timeSteps, size]; default zeros, as for the other. */
  readonly spikeGradient?: Float32Array | undefined
  readonly membraneGradient?: Float32Array | undefined
  /** [inputSteps, size]; with one input step for several the sum over time, ascending, rounded after every term. */
  readonly inputGradient: Float32Array
}

/**
 * Values are [images, channels, positions], all sizes positive. Sums are in double: position p of an image goes to lane p mod
 * 8, lanes are folded in halves, images are added in ascending order.
 */
export interface ChannelSizes {
  readonly images: number
  readonly channels: number
  readonly positions: number
}

/** mean = sum x / count; variance = sum (x - mean)^2 / count; count = images * positions. */
export interface ChannelMomentsJob extends ChannelSizes {
  readonly input: Float32Array
  /** [channels] */
  readonly mean: Float64Array
  readonly variance: Float64Array
}

/** output = scale[c] input + shift[c] in double, rounded once. */
export interface ScaleChannelsJob extends ChannelSizes {
  readonly input: Float32Array
  readonly scale: Float32Array
  readonly shift: Float32Array
  readonly output: Float32Array
}

/** plain = sum of gradient, weighted = sum of gradient * input. */
export interface ChannelSumsJob extends ChannelSizes {
  readonly gradient: Float32Array
  readonly input: Float32Array
  /** [channels] */
  readonly plain: Float64Array
  readonly weighted: Float64Array
}

/** inputGradient = factor[c] (gradient - average[c] - (input - centre[c]) slope[c]) in double, rounded once. */
export interface NormalizationBackwardJob extends ChannelSizes {
  readonly gradient: Float32Array
  readonly input: Float32Array
  readonly factor: Float64Array
  readonly average: Float64Array
  readonly centre: Float64Array
  readonly slope: Float64Array
  readonly inputGradient: Float32Array
}

/** Square windows without padding. */
export interface PoolSizes {
  /** Images times channels. */
  readonly planes: number
  readonly height: number
  readonly width: number
  readonly kernel: number
  readonly stride: number
}

/** Means: summed in double, rows ascending, columns ascending, divided by kernel^2, rounded once. */
export interface AveragePoolJob extends PoolSizes {
  /** [planes, height, width] */
  readonly input: Float32Array
  /** [planes, rows, columns] with rows = floor((height - kernel) / stride) + 1. */
  readonly output: Float32Array
}

/** Every window in ascending order adds its gradient / kernel^2, rounded after each addition. */
export interface AveragePoolBackwardJob extends PoolSizes {
  readonly outputGradient: Float32Array
  readonly inputGradient: Float32Array
}

/** Largest values; of equal ones the first wins. A NaN wins only where it comes first. */
export interface MaxPoolJob extends PoolSizes {
  readonly input: Float32Array
  readonly output: Float32Array
  /** Index in `input` of every output. */
  readonly winners: Uint32Array
}

/** Every winner gets its output's gradient, outputs ascending. A winner that is no index of the input is an InvalidArgumentError. */
export interface MaxPoolBackwardJob extends PoolSizes {
  readonly outputGradient: Float32Array
  readonly winners: Uint32Array
  readonly inputGradient: Float32Array
}
