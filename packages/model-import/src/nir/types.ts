/**
 * NIR graphs as plain data: JSON in, JSON out. Names and meanings of fields are NIR's own (J. Pedersen et al., "Neuromorphic
 * intermediate representation: a unified instruction set for interoperable brain-inspired computing", Nature Communications 15,
 * 2024), in its spelling; times are in seconds.
 */

/** Row-major values; scalars have the shape []. */
export interface NirArray {
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

/** Height and width. */
export type NirPair = readonly [number, number]

interface Named<Type extends string> {
  readonly type: Type
  /** Texts and numbers that travel with the node; other metadata is not read. */
  readonly metadata?: Readonly<Record<string, string | number>>
}

export interface NirInput extends Named<'Input'> {
  readonly shape: readonly number[]
}
export interface NirOutput extends Named<'Output'> {
  readonly shape: readonly number[]
}
/** y = weight x; weight [out, in]. */
export interface NirLinear extends Named<'Linear'> {
  readonly weight: NirArray
}
/** y = weight x + bias; weight [out, in], bias [out]. */
export interface NirAffine extends Named<'Affine'> {
  readonly weight: NirArray
  readonly bias: NirArray
}
export interface NirConv2d extends Named<'Conv2d'> {
  /** Height and width of the input where the file says so. */
  readonly input_shape?: NirPair
  /** [out, in / groups, height, width]. */
  readonly weight: NirArray
  readonly bias: NirArray
  readonly stride: NirPair
  readonly padding: NirPair | 'same' | 'valid'
  readonly dilation: NirPair
  readonly groups: number
}
interface Pool {
  readonly kernel_size: NirPair
  readonly stride: NirPair
  readonly padding: NirPair
}
export interface NirAvgPool2d extends Named<'AvgPool2d'>, Pool {}
export interface NirSumPool2d extends Named<'SumPool2d'>, Pool {}
export interface NirFlatten extends Named<'Flatten'> {
  /** Dimensions as the file counts them: writers disagree on whether a batch is one. All values stay, in order. */
  readonly start_dim: number
  readonly end_dim: number
  /** Shape of the input where the file says so. */
  readonly input_type?: readonly number[]
}
/** tau dv/dt = (v_leak - v) + r i; spike where v > v_threshold, then v = v_reset. One value per neuron in each field. */
export interface NirLif extends Named<'LIF'> {
  readonly tau: NirArray
  readonly r: NirArray
  readonly v_leak: NirArray
  readonly v_threshold: NirArray
  /** Zeros where a file of an older version leaves it out. */
  readonly v_reset: NirArray
}
/** dv/dt = r i; spike and reset as LIF. */
export interface NirIf extends Named<'IF'> {
  readonly r: NirArray
  readonly v_threshold: NirArray
  readonly v_reset: NirArray
}
/** LIF without spikes: its output is v. */
export interface NirLi extends Named<'LI'> {
  readonly tau: NirArray
  readonly r: NirArray
  readonly v_leak: NirArray
}
/**
 * Our extension, in discrete time: u becomes a (u - u1) (u - u2) + i at each step; spike where u > v_threshold, then u = v_reset.
 * In files its type is "HeMlQIF", which other readers refuse rather than take for something else.
 */
export interface NirQif extends Named<'HeMlQIF'> {
  readonly a: NirArray
  readonly u1: NirArray
  readonly u2: NirArray
  readonly v_threshold: NirArray
  readonly v_reset: NirArray
}

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
  readonly nodes: Readonly<Record<string, NirNode>>
  /** From, to. */
  readonly edges: readonly (readonly [string, string])[]
}
