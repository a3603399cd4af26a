/** How large the values of a network get: what a bootstrap must be told. */

import { createTensor, isCalibrated, type Model, sizeOf, type Tensor } from '@he-ml/packing'
import type { ActivationOptions } from '../compile/calibrate-activations.ts'
import type { Calibration } from '../fit/fit.ts'

/**
 * A range for each layer's result that statistics are known of: the largest size seen, times the margin, times the factor
 * that folding put on the value, rounded up to a power of two.
 *
 * @param plain the model with polynomials, nothing folded
 * @param folded the same with factors and input scales folded: each value is a constant times that of `plain`
 */
export function valueRanges(
  plain: Model,
  folded: Model,
  calibration: Calibration | undefined,
  options: ActivationOptions,
): ReadonlyMap<string, number> {
  const before = sizesOnProbe(plain)
  const after = sizesOnProbe(folded)
  const ranges = new Map<string, number>()
  for (const { layer } of folded.nodes) {
    const { name } = layer
    const seen = largestSeen(plain, name, calibration)
    const factor = after.get(name)! / before.get(name)!
    const bound = (seen ?? Number.NaN) * marginFor(plain, name, options) * factor
    if (bound > 0 && Number.isFinite(bound)) ranges.set(name, 2 ** Math.ceil(Math.log2(bound) - 1e-9))
  }
  return ranges
}

/** Largest absolute value of a layer's result in the calibration data; undefined when nobody looked. */
function largestSeen(model: Model, name: string, calibration: Calibration | undefined): number | undefined {
  const known = calibration?.magnitudes?.[name]
  if (known !== undefined) return known
  for (const { layer, inputs } of model.nodes) {
    const statistics = isCalibrated(layer) && inputs[0] === name ? calibration?.statistics[layer.name] : undefined
    if (statistics) return Math.max(Math.abs(statistics.min), Math.abs(statistics.max))
  }
  return undefined
}

/** The margin that the activations which read a value ask for. */
function marginFor(model: Model, name: string, { margin, layers = {} }: ActivationOptions): number {
  const own = model.nodes
    .filter(({ inputs }) => inputs.includes(name))
    .map(({ layer }) => layers[layer.name]?.margin ?? 0)
  return Math.max(margin, ...own)
}

/** Sizes of all values on a pseudo-random input; they differ by the folded factor only. */
function sizesOnProbe(model: Model): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  const data = Float64Array.from({ length: sizeOf(model.input.shape) }, (_, i) => Math.sin(1 + 1.7 * i + 0.01 * i * i))
  model.evaluate(createTensor(model.input.shape, data), (layer, inputs): Tensor => {
    const output = isCalibrated(layer) ? layer.forwardApproximate(inputs) : layer.forward(inputs)
    sizes.set(layer.name, Math.sqrt(output.data.reduce((sum, x) => sum + x * x, 0)))
    return output
  })
  return sizes
}
