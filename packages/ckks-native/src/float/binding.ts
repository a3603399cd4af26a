/** The f32 part of the compiled module's surface, as native/addon/float-object.cpp defines it. */
import { UnsupportedError } from '@he-ml/ckks-core'
import { loadNative } from '../loader.ts'

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
  close(): Promise<void>
}

interface FloatBinding {
  readonly FloatKernels?: new (threads: number, kernel: string | undefined) => BindingFloatKernels
}

/** @throws UnsupportedError when the addon cannot be loaded, or is older than this package */
export function floatBinding(): NonNullable<FloatBinding['FloatKernels']> {
  const { FloatKernels } = loadNative().binding as FloatBinding
  if (FloatKernels === undefined)
    throw new UnsupportedError(
      'the native addon has no f32 kernels: it is older than this package; build it with "npm run build:native"',
    )
  return FloatKernels
}
