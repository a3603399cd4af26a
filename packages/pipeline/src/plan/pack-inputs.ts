/** The client's encoder: tensors to the slot vectors that a plan wants encrypted. */

import { checkArgument } from '@he-ml/ckks-core'
import { assertInputShape, framesOf, modelCheck, onInputGrid, type Tensor } from '@he-ml/model'
import { pack } from '@he-ml/packing'
import { inputLayoutOf } from './plan.ts'
import { planCheck } from './plan-check.ts'
import type { Plan } from './plan-form.ts'

/**
 * One slot vector per ciphertext of the plan's input. Of frames, those of the first come first: each frame is laid out like an
 * image, and tensors of a batch go through time side by side. Values are rounded to the plan's grid first, where it has one.
 *
 * @param tensors one, or several where the plan's packing takes a batch; [frames, ...] where each time step has a frame
 * @returns `plan.input.ciphertexts` vectors of `plan.input.slots` values
 * @throws InvalidArgumentError for none, too many or another shape; frames for a plan with a static input, or the reverse, are named
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compile, packInputs } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const plan = await compile(model)
 * const vectors = packInputs(plan, createTensor([2], Float64Array.of(3, 4)))
 * assert.deepEqual(vectors.map(({ length }) => length), Array(plan.input.ciphertexts).fill(plan.input.slots))
 * ```
 */
export function packInputs(plan: Plan, tensors: Tensor | readonly Tensor[]): Float64Array[] {
  checkArgument('packInputs', 'plan', plan, planCheck.plan)
  const all: readonly Tensor[] =
    modelCheck.tensor(tensors) === undefined ? [tensors as Tensor] : (tensors as readonly Tensor[])
  checkArgument('packInputs', 'tensors', all, modelCheck.tensors)
  const layout = inputLayoutOf(plan)
  const { frames, grid } = plan.input
  const form = { shape: layout.shape, ...(frames === undefined ? {} : { frames }) }
  for (const { shape } of all) assertInputShape(`the plan of model "${plan.model.name}"`, form, shape)
  const given = all.map((tensor) => onInputGrid(tensor, grid))
  if (frames === undefined) return pack(given, layout)
  const byTensor = given.map(framesOf)
  return Array.from({ length: frames }, (_, t) =>
    pack(
      byTensor.map((own) => own[t]!),
      layout,
    ),
  ).flat()
}
