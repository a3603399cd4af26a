/**
 * NIR graphs as plain data: JSON in, JSON out. Names and meanings of fields are NIR's own (J. Pedersen et al., "Neuromorphic
 * intermediate representation: a unified instruction set for interoperable brain-inspired computing", Nature Communications 15,
 * 2024), in its spelling; times are in seconds.
 */

/** Row-major values; scalars have the shape []. */
export interface NirArray {
  /** Empty for a scalar. */
  readonly shape: readonly number[]
  /** As many values as the shape has elements. */
  readonly data: readonly number[]
}

/** Height and width. */
export type NirPair = readonly [number, number]

interface Named<Type extends string> {
  /** Type of the node, as files spell it. */
  readonly type: Type
  /** Texts and numbers that travel with the node; other metadata is not read. */
  readonly metadata?: Readonly<Record<string, string | number>>
}

/** Where values come in. */
export interface NirInput extends Named<'Input'> {
  /** Of one sample at one time step. */
  readonly shape: readonly number[]
}
/** Where values go out. */
export interface NirOutput extends Named<'Output'> {
  /** Of one sample at one time step. */
  readonly shape: readonly number[]
}
/** y = weight x; weight [out, in]. */
export interface NirLinear extends Named<'Linear'> {
  /** [out, in]. */
  readonly weight: NirArray
}
/** y = weight x + bias; weight [out, in], bias [out]. */
export interface NirAffine extends Named<'Affine'> {
  /** [out, in]. */
  readonly weight: NirArray
  /** [out]. */
  readonly bias: NirArray
}
/** Convolution (cross-correlation) with zero padding. */
export interface NirConv2d extends Named<'Conv2d'> {
  /** Height and width of the input where the file says so. */
  readonly input_shape?: NirPair
  /** [out, in / groups, height, width]. */
  readonly weight: NirArray
  /** [out]. */
  readonly bias: NirArray
  /** Distance between windows. */
  readonly stride: NirPair
  /** Rows and columns of zeros on each side, or what gives the shape of the input, or none. */
  readonly padding: NirPair | 'same' | 'valid'
  /** Distance between the inputs of one window. */
  readonly dilation: NirPair
  /** Groups of channels that do not see each other. */
  readonly groups: number
}
interface Pool {
  /** Of the window. */
  readonly kernel_size: NirPair
  /** Distance between windows. */
  readonly stride: NirPair
  /** Rows and columns of zeros on each side. */
  readonly padding: NirPair
}
/** Means of windows. */
export interface NirAvgPool2d extends Named<'AvgPool2d'>, Pool {}
/** Sums of windows. */
export interface NirSumPool2d extends Named<'SumPool2d'>, Pool {}
/** To fewer dimensions. */
export interface NirFlatten extends Named<'Flatten'> {
  /** Dimensions as the file counts them: writers disagree on whether a batch is one. All values stay, in order. */
  readonly start_dim: number
  /** The last dimension that is joined, see `start_dim`; -1 for the very last. */
  readonly end_dim: number
  /** Shape of the input where the file says so. */
  readonly input_type?: readonly number[]
}
/** tau dv/dt = (v_leak - v) + r i; spike where v > v_threshold, then v = v_reset. One value per neuron in each field. */
export interface NirLif extends Named<'LIF'> {
  /** Time constant, in seconds. */
  readonly tau: NirArray
  /** Resistance. */
  readonly r: NirArray
  /** Potential without input. */
  readonly v_leak: NirArray
  /** From where it spikes. */
  readonly v_threshold: NirArray
  /** Zeros where a file of an older version leaves it out. */
  readonly v_reset: NirArray
}
/** dv/dt = r i; spike and reset as LIF. */
export interface NirIf extends Named<'IF'> {
  /** Resistance; in units of 1 / s. */
  readonly r: NirArray
  /** From where it spikes. */
  readonly v_threshold: NirArray
  /** Potential after a spike. */
  readonly v_reset: NirArray
}
/** LIF without spikes: its output is v. */
export interface NirLi extends Named<'LI'> {
  /** Time constant, in seconds. */
  readonly tau: NirArray
  /** Resistance. */
  readonly r: NirArray
  /** Potential without input. */
  readonly v_leak: NirArray
}
/**
 * Our extension, in discrete time: u becomes a (u - u1) (u - u2) + i at each step; spike where u > v_threshold, then u = v_reset.
 * In files its type is "HeMlQIF", which other readers refuse rather than take for something else.
 */
export interface NirQif extends Named<'HeMlQIF'> {
  /** Factor of the square. */
  readonly a: NirArray
  /** The lower zero of the parabola. */
  readonly u1: NirArray
  /** The upper zero of the parabola. */
  readonly u2: NirArray
  /** From where it spikes. */
  readonly v_threshold: NirArray
  /** Potential after a spike. */
  readonly v_reset: NirArray
}

/** A node of a network. */
export type NirNode =
  | NirInput
  | NirOutput
  | NirLinear
  | NirAffine
  | NirConv2d
  | NirAvgPool2d
  | NirSumPool2d
  | NirFlatten
  | NirLif
  | NirIf
  | NirLi
  | NirQif

/** A network without loops: where several edges meet, their values are added. */
export interface NirGraph {
  /** Version of NIR that wrote the file, as "1.0.6". */
  readonly version: string
  /** By name. */
  readonly nodes: Readonly<Record<string, NirNode>>
  /** From, to. */
  readonly edges: readonly (readonly [string, string])[]
}
