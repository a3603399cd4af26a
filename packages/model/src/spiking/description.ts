/** Networks as plain data: what a recipe, a checkpoint and a saved model agree on. */
import type { Grid } from './grid.ts'
import type { Neuron } from './neuron.ts'

/** Grid that a layer's weights are rounded to. */
export interface WeightGrid extends Grid {
  /** Biases are rounded to multiples of this, positive; absent: of `step`. */
  readonly biasStep?: number | undefined
}

/** Convolution over [channels, height, width]. */
export interface ConvolutionDescription {
  /** Names the form. */
  readonly kind: 'conv2d'
  /** Unique in the network: a letter, then up to 63 letters, digits, underscores or hyphens. */
  readonly name: string
  /** Channels of the result. */
  readonly outChannels: number
  /** Rows and columns of the window. */
  readonly kernel: readonly [rows: number, columns: number]
  /** Distance between windows, in both directions. Default 1. */
  readonly stride: number
  /** Rows and columns of zeros on each side. Default 0. */
  readonly padding: number
  /** Groups of channels that do not see each other; divides both numbers of channels. Default 1. */
  readonly groups: number
  /** Whether there is a bias for each channel of the result. Default true. */
  readonly bias: boolean
  /** Weights are rounded to this grid, biases to its `biasStep`. Absent: they are not. */
  readonly weightGrid?: WeightGrid | undefined
}

/** Fully connected layer: [features] to [outFeatures]. */
export interface LinearDescription {
  /** Names the form. */
  readonly kind: 'linear'
  /** Unique in the network. */
  readonly name: string
  /** Features of the result. */
  readonly outFeatures: number
  /** Whether there is a bias for each feature of the result. Default true. */
  readonly bias: boolean
  /** Weights are rounded to this grid, biases to its `biasStep`. Absent: they are not. */
  readonly weightGrid?: WeightGrid | undefined
}

/** Average or max pooling over square windows without padding. */
export interface PoolDescription {
  /** Which of the two. */
  readonly kind: 'averagePool2d' | 'maxPool2d'
  /** Unique in the network. */
  readonly name: string
  /** Rows, and columns, of the window. */
  readonly kernel: number
  /** Distance between windows, in both directions. */
  readonly stride: number
}

/** From [channels, height, width] to [features], row-major. */
export interface FlattenDescription {
  /** Names the form. */
  readonly kind: 'flatten'
  /** Unique in the network. */
  readonly name: string
}

/** Dropout, constant over time; in training only. */
export interface DropoutDescription {
  /** Names the form. */
  readonly kind: 'dropout'
  /** Unique in the network. */
  readonly name: string
  /** Share of the values that are dropped, in [0, 1). */
  readonly rate: number
}

/** Threshold-dependent batch normalisation, over batch and time; folded into the layer before it when a model is saved. */
export interface TdBatchNormDescription {
  /** Names the form. */
  readonly kind: 'tdBatchNorm'
  /** Unique in the network. */
  readonly name: string
  /** Firing level of the neurons behind it. */
  readonly threshold: number
  /** 1, or 1 / sqrt(2) where two paths are added. Default 1. */
  readonly alpha: number
  /** Added to the variance, positive. Default 1e-5. */
  readonly epsilon: number
  /** Weight of the newest batch in the running statistics, in (0, 1]. Default 0.1. */
  readonly momentum: number
}

/** Scale and shift per channel. */
export interface AffineDescription {
  /** Names the form. */
  readonly kind: 'affine'
  /** Unique in the network. */
  readonly name: string
}

/** What a trainer uses as the derivative of the step; see `SurrogateDescription` of @he-ml/float-kernels. */
export interface SurrogateShape {
  /** A rectangle, or a bell that falls as 1 / z^2. */
  readonly kind: 'rectangle' | 'fastSigmoid' | 'arctangent'
  /** Half-width of the rectangle; for the others the distance at which they fall to a quarter and to a half. Units of the membrane. */
  readonly width: number
  /** Value at the threshold, positive; absent: the one with area 1. */
  readonly height?: number | undefined
}

/** LIF or QIF neurons, one for each value of the input. */
export interface NeuronDescription {
  /** Names the form. */
  readonly kind: 'neuron'
  /** Unique in the network. */
  readonly name: string
  /** The recurrence, the same for all. */
  readonly neuron: Neuron
  /** In training only. */
  readonly surrogate: SurrogateShape
  /** No gradient through the spike that resets. Default false. */
  readonly detachReset: boolean
  /** What goes on to the next layer: spikes of 0 and 1, or the charged membrane of neurons that do not reset. Default spikes. */
  readonly output: 'spikes' | 'membrane'
  /** The charged membrane is rounded to these points, 16 to 256 of them. Absent: it is not. */
  readonly grid?: Grid | undefined
  /**
   * Training with a grid: how much the loss minds charged membranes beyond it, (rangePenalty / 2) * the sum over neurons and
   * time steps of (distance / threshold)^2, averaged over the batch. Nothing in inference, and not part of saved models. Default 0.
   */
  readonly rangePenalty: number
}

/** A layer that a residual block may hold. */
export type PlainLayerDescription =
  | ConvolutionDescription
  | LinearDescription
  | PoolDescription
  | FlattenDescription
  | DropoutDescription
  | TdBatchNormDescription
  | AffineDescription
  | NeuronDescription

/** Sum of two paths, whose results have one shape. */
export interface ResidualDescription {
  /** Names the form. */
  readonly kind: 'residual'
  /** Unique in the network. */
  readonly name: string
  /** At least one layer. */
  readonly main: readonly PlainLayerDescription[]
  /** The other path; none: the input itself. Default none. */
  readonly shortcut: readonly PlainLayerDescription[]
}

/** Any layer. */
export type LayerDescription = PlainLayerDescription | ResidualDescription

/** A network, all defaults filled in. The result is the mean over time of the last layer's output. */
export interface NetworkDescription {
  /** For readers, up to 200 characters. */
  readonly name: string
  /** [channels, height, width] or [features] of one sample at one time step. */
  readonly inputShape: readonly [channels: number, height: number, width: number] | readonly [features: number]
  /** T: how often the network is evaluated for a sample. */
  readonly timeSteps: number
  /**
   * Whether a sample is one tensor, the same at every time step, or a frame for each: what an event camera counted meanwhile. Default
   * static.
   */
  readonly inputTime: 'static' | 'perStep'
  /** The few values that the network reads: its input is rounded to these points before anything else. Absent: it is not. */
  readonly inputGrid?: Grid | undefined
  /** In their order, at least one. */
  readonly layers: readonly LayerDescription[]
}

/** The same, where the members `K`, which have a default, may be left out. */
export type Defaulted<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]?: T[P] | undefined }

/** A convolution as one writes it: members with a default may be left out. */
export type ConvolutionRecipe = Defaulted<ConvolutionDescription, 'stride' | 'padding' | 'groups' | 'bias'>
/** A fully connected layer as one writes it. */
export type LinearRecipe = Defaulted<LinearDescription, 'bias'>
/** A normalisation as one writes it. */
export type TdBatchNormRecipe = Defaulted<TdBatchNormDescription, 'alpha' | 'epsilon' | 'momentum'>
/** Neurons as one writes them. */
export type NeuronRecipe = Defaulted<NeuronDescription, 'detachReset' | 'output' | 'rangePenalty'>
/** A layer that a residual block may hold, as one writes it. */
export type PlainLayerRecipe =
  | ConvolutionRecipe
  | LinearRecipe
  | PoolDescription
  | FlattenDescription
  | DropoutDescription
  | TdBatchNormRecipe
  | AffineDescription
  | NeuronRecipe

/** Sum of two paths, as one writes it. */
export interface ResidualRecipe extends Pick<ResidualDescription, 'kind' | 'name'> {
  /** At least one layer. */
  readonly main: readonly PlainLayerRecipe[]
  /** The other path; none, or left out: the input itself. */
  readonly shortcut?: readonly PlainLayerRecipe[] | undefined
}

/** Any layer, as one writes it. */
export type LayerRecipe = PlainLayerRecipe | ResidualRecipe

/** A network as one writes it: members with a default may be left out. */
export type NetworkRecipe = Defaulted<Omit<NetworkDescription, 'layers'>, 'inputTime'> & {
  /** In their order, at least one. */
  readonly layers: readonly LayerRecipe[]
}
