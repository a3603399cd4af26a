/** How large the values of a network get: what a bootstrap must be told, and what errors are relative to. */
import { createTensor, isCalibrated, type Model, sizeOf, type Tensor } from '@he-ml/packing'
import type { ActivationOptions } from '../compile/calibrate-activations.ts'
import type { Calibration, ValueSize } from '../fit/fit.ts'

/**
 * Sizes of the input and of each layer's result in the folded model, where the calibration data tell: what was seen, times
 * the factor that folding put on the value. That factor is found by running both models on a probe.
 *
 * @param plain the model with polynomials, nothing folded
 * @param folded the same with factors and input scales folded: each value is a constant times that of `plain`
 */
export function valueSizes(
  plain: Model,
  folded: Model,
  calibration: Calibration | undefined,
): ReadonlyMap<string, ValueSize> {
  if (!calibration) return new Map()
  const before = sizesOnProbe(plain)
  const after = sizesOnProbe(folded)
  const sizes = new Map<string, ValueSize>()
  for (const [name, size] of after) {
    const seen = sizeSeen(plain, name, calibration)
    const factor = size / before.get(name)!
    if (!seen || !Number.isFinite(factor)) continue
    sizes.set(name, { largest: seen.largest * factor, rms: seen.rms * factor, sixth: seen.sixth * factor })
  }
  return sizes
}

/**
 * Ranges for bootstraps: the largest size times the margin, rounded up to a power of two so that few are needed. The input
 * has none: it can be encrypted at whatever level is wanted.
 */
export function valueRanges(
  model: Model,
  sizes: ReadonlyMap<string, ValueSize>,
  options: ActivationOptions,
): ReadonlyMap<string, number> {
  const ranges = new Map<string, number>()
  for (const [name, { largest }] of sizes) {
    const bound = largest * marginFor(model, name, options)
    if (name !== model.input.name && bound > 0) ranges.set(name, 2 ** Math.ceil(Math.log2(bound) - 1e-9))
  }
  return ranges
}

/** Sizes of a value in the calibration data; undefined when nobody looked. */
function sizeSeen(model: Model, name: string, calibration: Calibration): ValueSize | undefined {
  const known = calibration.values?.[name]
  if (known) return known
  for (const { layer, inputs } of model.nodes) {
    const statistics = isCalibrated(layer) && inputs[0] === name ? calibration.statistics[layer.name] : undefined
    if (!statistics) continue
    const { min, max, mean, std } = statistics
    const rms = Math.hypot(mean, std)
    // as if normal: the mean sixth power is 15 times the cube of the mean square
    return { largest: Math.max(Math.abs(min), Math.abs(max)), rms, sixth: rms * 15 ** (1 / 6) }
  }
  return undefined
}

/** The margin that the activations which read a value ask for. */
function marginFor(model: Model, name: string, { margin, layers = {} }: ActivationOptions): number {
  const readers = model.nodes.filter(({ inputs }) => inputs.includes(name))
  return Math.max(margin, ...readers.map(({ layer }) => layers[layer.name]?.margin ?? 0))
}

/** Sizes of all values on a pseudo-random input; those of two models differ by the folded factors only. */
function sizesOnProbe(model: Model): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  const norm = ({ data }: Tensor) => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0))
  const data = Float64Array.from({ length: sizeOf(model.input.shape) }, (_, i) => Math.sin(1 + 1.7 * i + 0.01 * i * i))
  const input = createTensor(model.input.shape, data)
  sizes.set(model.input.name, norm(input))
  model.evaluate(input, (layer, inputs) => {
    const output = isCalibrated(layer) ? layer.forwardApproximate(inputs) : layer.forward(inputs)
    sizes.set(layer.name, norm(output))
    return output
  })
  return sizes
}
