/** How large the values of a network get: what a bootstrap must be told, and what errors are relative to. */
import { isCalibrated, type Model } from '@he-ml/model'
import type { ActivationOptions } from './calibrate-activations.ts'
import type { Calibration, ValueSize } from './calibration.ts'

/**
 * Sizes of the input and of each layer's result in the folded model, where the calibration data tell: what was seen, times
 * the factor that folding put on the value.
 *
 * @param model any of the two: before folding or after
 * @param factors of `foldFactors`
 */
export function valueSizes(
  model: Model,
  factors: ReadonlyMap<string, number>,
  calibration: Calibration | undefined,
): ReadonlyMap<string, ValueSize> {
  const sizes = new Map<string, ValueSize>()
  if (!calibration) return sizes
  for (const [name, factor] of factors) {
    const seen = sizeSeen(model, name, calibration)
    if (seen) sizes.set(name, timesFactor(seen, factor))
  }
  return sizes
}

function timesFactor({ largest, rms, sixth, channels }: ValueSize, factor: number): ValueSize {
  const times = (values: readonly number[]) => values.map((x) => x * factor)
  return {
    largest: largest * factor,
    rms: rms * factor,
    sixth: sixth * factor,
    ...(channels && {
      channels: {
        mean: times(channels.mean),
        std: times(channels.std),
        min: times(channels.min),
        max: times(channels.max),
      },
    }),
  }
}

/**
 * Ranges for bootstraps: the largest size times the margin, rounded up to a power of two so that few are needed. The input
 * has none, nor have its frames: it can be encrypted at whatever level is wanted.
 */
export function valueRanges(
  model: Model,
  sizes: ReadonlyMap<string, ValueSize>,
  options: ActivationOptions,
): ReadonlyMap<string, number> {
  const ranges = new Map<string, number>()
  for (const [name, { largest }] of sizes) {
    const bound = largest * marginFor(model, name, options)
    if (!model.inputs.includes(name) && bound > 0) ranges.set(name, 2 ** Math.ceil(Math.log2(bound) - 1e-9))
  }
  return ranges
}

/** Sizes of a value in the calibration data; undefined when nobody looked. */
function sizeSeen(model: Model, name: string, calibration: Calibration): ValueSize | undefined {
  const known = calibration.values?.[name]
  if (known) return known
  for (const { name: reader, layer, inputs } of model.nodes) {
    const statistics = isCalibrated(layer) && inputs[0] === name ? calibration.statistics[reader] : undefined
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
  return Math.max(margin, ...readers.map((reader) => layers[reader.origin?.node ?? reader.name]?.margin ?? 0))
}
