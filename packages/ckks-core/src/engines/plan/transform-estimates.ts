/** Errors and sizes of linear transforms, as the plan engine predicts them; what they cost is counted elsewhere. */
import type { SlotEstimate } from '../../port/engine.ts'
import type { RaiseMetas } from '../../port/engine-arithmetic.ts'
import type { PreparedLinearTransform } from '../../port/linear-transform.ts'
import type { Scale } from '../../port/quantities.ts'
import type { NoiseModel } from '../noise/noise-model.ts'
import type { PlanPlaintext } from './plan-handles.ts'

/** Root mean squares over the slots. */
type Estimate = Pick<SlotEstimate, 'error' | 'magnitude'>

/** Scales before and after a transform, and the level that it is at. */
interface TransformScales {
  readonly level: number
  readonly before: Scale
  readonly after: Scale
}

/** A product that is not rescaled: babies and giants are key switches, and one division ends it. */
export function transformEstimate(
  noise: NoiseModel,
  a: Estimate,
  { giants }: PreparedLinearTransform,
  { level, before, after }: TransformScales,
): Estimate {
  const keySwitch = noise.keySwitch(level)
  const turned = giants.filter(({ step, terms }) => step !== 0 && terms.length > 0).length
  const rotated = Math.hypot(a.error, keySwitch / before)
  const added = turned * (keySwitch / after) ** 2 + (noise.rescale() / after) ** 2
  const errorOf = (step: number) => (step === 0 ? a.error : rotated)
  return sumOfTerms(giants, errorOf, a.magnitude, added)
}

/**
 * What modRaise, a transform and rescaling give: every term is a short key switch, and its rounding comes once.
 * @param period root mean square of what modRaise adds, in slots, times the scale
 */
export function raiseEstimate(
  noise: NoiseModel,
  a: Estimate,
  { giants }: PreparedLinearTransform,
  { raised, product, result }: RaiseMetas,
  period: number,
): Estimate {
  const switched = Math.hypot(noise.encapsulation(), noise.raisingSwitch()) / raised.scale
  const rotated = Math.hypot(a.error, switched)
  const added = (noise.rescale() / product.scale) ** 2 + (noise.rescale() / result.scale) ** 2
  return sumOfTerms(giants, () => rotated, Math.hypot(a.magnitude, period / raised.scale), added)
}

function sumOfTerms(
  giants: PreparedLinearTransform['giants'],
  errorOf: (step: number) => number,
  magnitude: number,
  added: number,
): Estimate {
  let error = added
  let size = 0
  for (const { terms } of giants)
    for (const { step, plaintext } of terms) {
      const p = plaintext as unknown as PlanPlaintext
      error += (errorOf(step) * p.magnitude) ** 2 + (magnitude * p.error) ** 2
      size += p.magnitude ** 2
    }
  return { error: Math.sqrt(error), magnitude: Math.sqrt(size) * magnitude }
}

/**
 * Rotations added, each time twice as far: independent slots add up by squares; each switch's noise is doubled by all later additions.
 * @param keySwitch error of a switch, in slots
 */
export function traceEstimate(a: Estimate, turns: number, keySwitch: number): Estimate {
  const gain = Math.sqrt(2 ** turns)
  return { error: Math.hypot(a.error * gain, keySwitch * Math.sqrt(4 ** turns / 3)), magnitude: a.magnitude * gain }
}
