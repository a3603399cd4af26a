/** The images of he-ml plan: the first ones are calibrated on, those after them show what the plan does to accuracy. */
import { PlanError } from '@he-ml/ckks-core'
import { isCalibrated, type Model, type Tensor } from '@he-ml/model'
import { type Calibration, fit } from '@he-ml/pipeline'
import { type ImageSource, openImages } from '../files/images.ts'
import { startProgress } from '../terminal/progress.ts'
import type { PlanOptions } from './plan-options.ts'

/** Images that a plan is judged by, and their classes, where the data have some. */
export interface Judges {
  readonly samples: readonly Tensor[]
  readonly labels?: readonly number[]
  /** How many of the samples were calibrated on as well: there are no others. Default 0. */
  readonly known?: number
}

export interface PlanSamples {
  readonly calibration?: Calibration
  readonly judges: Judges
}

/**
 * Without calibrated activations images are optional: only bootstrapping then wants to know how large values become.
 * @throws PlanError ('range') where images are needed and there are none; what reading and fitting throw
 */
export async function readSamples(model: Model, options: PlanOptions, signal: AbortSignal): Promise<PlanSamples> {
  if (options.data === undefined && !model.nodes.some(({ layer }) => isCalibrated(layer)))
    return { judges: { samples: [] } }
  if (options.data === undefined)
    throw new PlanError(
      'range',
      'the network has activations whose range must be known: give calibration images with --data',
    )
  const images = await openImages(options.data, model.inputShape, {
    split: options.split,
    normalization: options.normalize,
  })
  const count = Math.min(options.samples, images.count)
  const progress = startProgress('calibrating', options.quiet ?? false)
  const inputs = {
    *[Symbol.iterator]() {
      for (let i = 0; i < count; i++) yield images.tensor(i)
    },
  }
  try {
    const { equalize } = options
    const calibration = await fit(model, inputs, {
      equalize,
      signal,
      onProgress: (done) => progress.update(done / (equalize ? 2 * count : count)),
    })
    return { calibration, judges: judgesOf(images, count, options.simulate) }
  } finally {
    progress.stop()
  }
}

/** The images after those that were calibrated on; with too few of them the last of all. */
function judgesOf({ count, label, tensor }: ImageSource, calibrated: number, wanted: number): Judges {
  const end = Math.min(count, calibrated + wanted)
  const indices = Array.from({ length: Math.min(wanted, end) }, (_, i) => end - Math.min(wanted, end) + i)
  const known = indices.filter((i) => i < calibrated).length
  return { samples: indices.map((i) => tensor(i)), known, ...(label ? { labels: indices.map((i) => label(i)) } : {}) }
}
