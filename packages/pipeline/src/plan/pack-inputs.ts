/** The client's encoder: tensors to the slot vectors that a plan wants encrypted. */
import { assertInputShape, framesOf, type Tensor } from '@he-ml/model'
import { pack } from '@he-ml/packing'
import { inputLayoutOf, type Plan } from './plan.ts'

/**
 * One slot vector per ciphertext of the plan's input. Of frames, those of the first come first: each frame is laid out like an
 * image, and tensors of a batch go through time side by side.
 *
 * @param tensors one, or several where the plan's packing takes a batch; [frames, ...] where each time step has a frame
 * @returns `plan.input.ciphertexts` vectors of `plan.input.slots` values
 * @throws InvalidArgumentError for none, too many or another shape; frames for a plan with a static input, or the reverse, are named
 */
export function packInputs(plan: Plan, tensors: Tensor | readonly Tensor[]): Float64Array[] {
  const given = 'data' in tensors ? [tensors] : tensors
  const layout = inputLayoutOf(plan)
  const { frames } = plan.input
  const form = { shape: layout.shape, ...(frames === undefined ? {} : { frames }) }
  for (const { shape } of given) assertInputShape(`the plan of model "${plan.model.name}"`, form, shape)
  if (frames === undefined) return pack(given, layout)
  const byTensor = given.map(framesOf)
  return Array.from({ length: frames }, (_, t) =>
    pack(
      byTensor.map((all) => all[t]!),
      layout,
    ),
  ).flat()
}
