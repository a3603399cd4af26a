/** The compiled module's surface, as native/float-addon/float-object.cpp defines it. */

/** Shapes are twelve numbers: batch, inChannels, height, width, outChannels, kernel, stride, padding, groups. */
export interface BindingFloatKernels {
  readonly kernel: string
  readonly threads: number
  gemm(
    m: number,
    n: number,
    k: number,
    a: Float32Array,
    b: Float32Array,
    c: Float32Array,
    transposeA: boolean,
    transposeB: boolean,
    alpha: number,
    beta: number,
  ): Promise<void>
  conv2d(
    shape: Uint32Array,
    input: Float32Array,
    weight: Float32Array,
    bias: Float32Array | undefined,
    output: Float32Array,
  ): Promise<void>
  conv2dBackwardInput(
    shape: Uint32Array,
    outputGradient: Float32Array,
    weight: Float32Array,
    inputGradient: Float32Array,
  ): Promise<void>
  conv2dBackwardWeight(
    shape: Uint32Array,
    input: Float32Array,
    outputGradient: Float32Array,
    weightGradient: Float32Array,
    biasGradient: Float32Array | undefined,
  ): Promise<void>
  /** Programs are words and constants as encode-neurons.ts makes them; numbers: threshold, grid step, grid count. */
  neurons(
    sizes: Uint32Array,
    charge: Uint32Array,
    chargeConstants: Float64Array,
    reset: Uint32Array,
    resetConstants: Float64Array,
    numbers: Float64Array,
    input: Float32Array,
    spikes: Float32Array,
    membranePotentials: Float32Array,
    charged: Float32Array | undefined,
  ): Promise<void>
  /** Two more sizes, surrogate kind and detachReset, and three more numbers, its width, its height and pull. */
  neuronsBackward(
    sizes: Uint32Array,
    charge: Uint32Array,
    chargeConstants: Float64Array,
    reset: Uint32Array,
    resetConstants: Float64Array,
    numbers: Float64Array,
    input: Float32Array,
    membranePotentials: Float32Array,
    spikeGradient: Float32Array | undefined,
    membraneGradient: Float32Array | undefined,
    inputGradient: Float32Array,
  ): Promise<void>
  channelMoments(...args: [...Channels, input: Float32Array, mean: Float64Array, variance: Float64Array]): Promise<void>
  scaleChannels(
    ...args: [...Channels, input: Float32Array, scale: Float32Array, shift: Float32Array, output: Float32Array]
  ): Promise<void>
  channelSums(
    ...args: [...Channels, gradient: Float32Array, input: Float32Array, plain: Float64Array, weighted: Float64Array]
  ): Promise<void>
  normalizationBackward(
    ...args: [
      ...Channels,
      gradient: Float32Array,
      input: Float32Array,
      factor: Float64Array,
      average: Float64Array,
      centre: Float64Array,
      slope: Float64Array,
      inputGradient: Float32Array,
    ]
  ): Promise<void>
  averagePool(...args: [...Pool, input: Float32Array, output: Float32Array]): Promise<void>
  averagePoolBackward(...args: [...Pool, outputGradient: Float32Array, inputGradient: Float32Array]): Promise<void>
  maxPool(...args: [...Pool, input: Float32Array, output: Float32Array, winners: Uint32Array]): Promise<void>
  maxPoolBackward(
    ...args: [...Pool, outputGradient: Float32Array, winners: Uint32Array, inputGradient: Float32Array]
  ): Promise<void>
  close(): Promise<void>
}

type Channels = [images: number, channels: number, positions: number]
type Pool = readonly [planes: number, height: number, width: number, kernel: number, stride: number]

/** What the addon exports. */
export interface FloatBinding {
  readonly FloatKernels: new (threads: number, kernel: string | undefined) => BindingFloatKernels
}
