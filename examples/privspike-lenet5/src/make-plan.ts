/** From a network and clear inputs to a plan; no key exists yet. */
import type { CostModel } from '@he-ml/ckks-core'
import type { Model, Tensor } from '@he-ml/model'
import { type BoundPlan, type Calibration, compileAndBind, fit } from '@he-ml/pipeline'
import { type StartBar, stopping } from './progress.ts'

/** Degree of the polynomials that stand for steps, where neurons are soft. */
const DEGREE = 63
/** Membranes may go so much further than those that were seen. */
const MARGIN = 1.3

/**
 * Where membranes lie.
 *
 * @param inputs of the model's `inputShape`
 * @throws CancelledError through the signal
 */
export async function learnRanges(
  model: Model,
  inputs: readonly Tensor[],
  { startBar, signal }: { readonly startBar: StartBar; readonly signal: AbortSignal },
): Promise<Calibration> {
  using bar = stopping(startBar('ranges'))
  return await fit(model, inputs, { signal, onProgress: (done) => bar.update(done / inputs.length) })
}

/**
 * @param batch inputs per run
 * @throws PlanError when no parameters will do
 */
export const makePlan = (
  model: Model,
  calibration: Calibration,
  { batch, costModel }: { readonly batch: number; readonly costModel?: CostModel | undefined },
): Promise<BoundPlan> =>
  compileAndBind(model, {
    calibration,
    batch,
    activation: { degree: DEGREE, margin: MARGIN },
    ...(costModel ? { costModel } : {}),
  })
