/**
 * The clear layer contract. A layer says what shapes it takes, what it computes exactly, and which constants may be moved into
 * it or out of it at no cost. It is data: immutable, and without any knowledge of slots. How it runs on ciphertexts is a
 * second contract (`Lowerable`, in packing) that most layers also keep.
 */
import type { Shape, Tensor } from './tensor.ts'

/** One for each channel of a layer's input and of its result. */
export interface ChannelFactors {
  /** Of the input's channels, positive. */
  readonly input: readonly number[]
  /** Of the result's channels, positive. */
  readonly output: readonly number[]
}

/** A clear layer with one result. Immutable. */
export interface Layer {
  /** 'conv2d', 'linear', 'activation', ... */
  readonly kind: string
  /** Appears in errors; the name of its node in a model unless that has another. */
  readonly name: string
  /** Number of input tensors. */
  readonly arity: number
  /** @throws InvalidArgumentError when the shapes do not fit; the message names the layer */
  outputShape(inputs: readonly Shape[]): Shape
  /** The exact clear function. */
  forward(inputs: readonly Tensor[]): Tensor
  /** The same layer with its output multiplied by a constant, at no extra depth; absent when that is impossible. */
  scaleOutput?(factor: number): Layer
  /** The layer x -> forward(factor * x), at no extra depth; absent when that is impossible. */
  scaleInput?(factor: number): Layer
  /**
   * Of a layer that is no linear one and saves a level where its input is held times a certain factor, which depends on that of its
   * result: a quadratic whose leading coefficient becomes 1. Absent: any factor is as good.
   */
  inputFactorFor?(outputFactor: number): number
  /** forward(c * x) = c * forward(x), c real: a factor on the output may be moved to all inputs. Absent: not known. */
  readonly homogeneous?: boolean
  /**
   * forward(x) = factor * layer.forward(x), where `layer` is homogeneous and saves the level that the factor costs (average
   * pooling is a sum and 1/k^2), for inputs of these shapes. `foldFactors` moves the factor into neighbours. Undefined or
   * absent when there is none.
   */
  factored?(inputs: readonly Shape[]):
    | {
        /** What the result is multiplied with. */
        readonly factor: number
        /** The layer without it. */
        readonly layer: Layer
      }
    | undefined
  /**
   * forward(d x) = d forward(x) for positive numbers d, one for each channel (the first dimension), of all inputs and the result alike.
   * Absent: not known.
   */
  readonly channelwise?: boolean
  /**
   * The layer that reads channel c of its input times `input[c]` and gives channel c of its result times `output[c]`, at no extra depth.
   * Absent when that is impossible.
   */
  scaleChannels?(factors: ChannelFactors): Layer
  /** Large values in slots without an element would spoil the result (a polynomial outside its range). Absent: they do not. */
  readonly gapSensitive?: boolean
  /**
   * Everything that decides what the layer computes beside its kind, name and shapes: weights, strides, functions, as bytes, the
   * same on every machine. Of two layers that compute different things these differ.
   */
  digestParts(): readonly Uint8Array[]
}

/**
 * A layer with several results, each with a name: branches, or a neuron with its spike and its membrane. Immutable. In a model
 * its values are called `node/output`.
 */
export interface MultiOutputLayer {
  /** Names the form: 'add', 'spiking'. */
  readonly kind: string
  /** Names the layer in models, plans and errors. */
  readonly name: string
  /** Largest number of input tensors. */
  readonly arity: number
  /** How many of the last inputs may be absent: a state is, at the first time step. Default 0. */
  readonly optionalInputs?: number
  /** Names of the results, without repetition. */
  readonly outputs: readonly string[]
  /** One shape per output. @throws InvalidArgumentError when the shapes do not fit; the message names the layer */
  outputShapes(inputs: readonly Shape[]): readonly Shape[]
  /** The exact clear function: one result per output. */
  forwardAll(inputs: readonly Tensor[]): readonly Tensor[]
  /** See `Layer.gapSensitive`. */
  readonly gapSensitive?: boolean
  /** Its circuit refreshes what it computes: results have levels again. */
  readonly refreshes?: boolean
  /**
   * All time steps at once, where the inputs that are no states are the same at each: a layer with the same inputs, states left out, and
   * for each of these outputs its results at all steps, `output@0`, `output@1`, ... Absent or undefined: it cannot. `unroll` asks.
   */
  overSteps?(steps: number, outputs: readonly string[]): MultiOutputLayer | undefined
  /**
   * The layer with these of its outputs alone, where others are work of their own. Absent or undefined: they are not. `unroll` asks, at
   * steps at which nobody reads the others.
   */
  withOutputs?(outputs: readonly string[]): MultiOutputLayer | undefined
  /** As of {@link Layer}. */
  digestParts(): readonly Uint8Array[]
  /** Which factors the values may be held with; absent: all are held as they are. */
  readonly factorGroups?: readonly FactorGroup[]
  /** The layer for values held times one factor per group. */
  withFactors?(factors: readonly number[]): MultiOutputLayer
}

/** Inputs and outputs of a layer that are all held times one factor, whatever it is. Each belongs to exactly one group. */
export interface FactorGroup {
  /** Indices of inputs. */
  readonly inputs: readonly number[]
  /** Indices of results. */
  readonly outputs: readonly number[]
  /** The factor that saves the layer a level, or such a factor divided by a positive integer. Absent: any does. */
  readonly wanted?: number
}

/** Whatever a node of a model may hold. */
export type GraphLayer = Layer | MultiOutputLayer

/** Whether a layer has several results. */
export const isMultiOutput = (layer: GraphLayer): layer is MultiOutputLayer => 'outputs' in layer

/** What a layer computes exactly: one result per output. */
export const forwardAll = (layer: GraphLayer, inputs: readonly Tensor[]): readonly Tensor[] =>
  isMultiOutput(layer) ? layer.forwardAll(inputs) : [layer.forward(inputs)]

/** One shape per output. @throws InvalidArgumentError when the shapes do not fit */
export const outputShapesOf = (layer: GraphLayer, inputs: readonly Shape[]): readonly Shape[] =>
  isMultiOutput(layer) ? layer.outputShapes(inputs) : [layer.outputShape(inputs)]
