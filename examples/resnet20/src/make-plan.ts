/** From a network and clear images to a plan; no key exists yet. */
import { isCalibrated, type Model, type Tensor } from '@he-ml/model'
import { type BoundPlan, type Calibration, type CompileOptions, compileAndBind, fit } from '@he-ml/pipeline'
import type { StartBar } from './progress.ts'

export interface PlanWishes {
  /** Images per run. */
  readonly batch: number
  /** Of the polynomials that stand for ReLUs. */
  readonly degree: number
}

/** Many images lie beside each other as the planner likes it; one alone is spread out. */
export function compileOptionsFor({ batch, degree }: PlanWishes): CompileOptions {
  return {
    batch,
    activation: { degree, margin: 1.3, method: 'least-squares' },
    // enough for ten bits and more of every logit; scales of 36 bits and more would rule the smaller ring out
    scaleBits: 32,
    // tens of GB for one image of a ResNet-20, encoded in some 15 s; a second or two for a batch
    keepWeights: false,
  }
}

/**
 * How large values get.
 *
 * @param images normalised
 * @throws CancelledError through the signal
 */
export async function learnRanges(
  model: Model,
  images: readonly Tensor[],
  { startBar, signal }: { readonly startBar: StartBar; readonly signal: AbortSignal },
): Promise<Calibration> {
  // networks of ReLUs are run a second time, with their channels equalized
  const total = images.length * (model.nodes.some(({ layer }) => isCalibrated(layer)) ? 2 : 1)
  const bar = startBar('ranges')
  try {
    return await fit(model, images, { equalize: true, signal, onProgress: (done) => bar.update(done / total) })
  } finally {
    bar.stop()
  }
}

/** @throws PlanError when no parameters will do */
export const makePlan = (model: Model, calibration: Calibration, wishes: PlanWishes): Promise<BoundPlan> =>
  compileAndBind(model, { ...compileOptionsFor(wishes), calibration })
