/**
 * The plan: everything that is decided before any key exists, as JSON. It holds no weights; server and client bind it to
 * the same model again, and a content hash makes sure that it is the same.
 */

import {
  checkArgument,
  contentHash,
  FormatError,
  HeMlError,
  type OptionCheck,
  optionCheck,
  Parameters,
  SecurityError,
} from '@he-ml/ckks-core'
import { parseLayout, type SlotLayout } from '@he-ml/packing'
import { planCheck } from './plan-check.ts'
import type { Plan } from './plan-form.ts'
import { planSchema } from './plan-schema.ts'

/**
 * Where the elements of the input lie, or of each of its frames.
 * @throws InvalidArgumentError, FormatError for a plan that was not made by us
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compile, inputLayoutOf } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const plan = await compile(model)
 * const { slots, ciphertexts } = inputLayoutOf(plan)
 * assert.deepEqual([slots, ciphertexts], [plan.input.slots, plan.input.ciphertexts])
 * ```
 */
export function inputLayoutOf(plan: Plan): SlotLayout {
  checkArgument('inputLayoutOf', 'plan', plan, planCheck.plan)
  return parseLayout(plan.input.layout)
}
/**
 * Where the output's elements lie.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { unpack } from '@he-ml/packing'
 * import { compile, outputLayoutOf } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const layout = outputLayoutOf(await compile(model))
 * const slots = Array.from({ length: layout.ciphertexts }, () => new Float64Array(layout.slots)) // decrypted
 * assert.deepEqual(unpack(slots, layout)[0]!.shape, [2])
 * ```
 */
export function outputLayoutOf(plan: Plan): SlotLayout {
  checkArgument('outputLayoutOf', 'plan', plan, planCheck.plan)
  return parseLayout(plan.output.layout)
}

/**
 * The parameters of a plan.
 * @throws SecurityError when they are not 128-bit secure; FormatError for numbers that are no parameters
 * @example
 * ```ts
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compile, parametersOf } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const { logN, maxLevel } = parametersOf(await compile(model))
 * console.log(logN, maxLevel)
 * ```
 */
export function parametersOf(plan: Pick<Plan, 'parameters'>): Parameters {
  checkArgument('parametersOf', 'plan', plan, hasParameters)
  try {
    return new Parameters(plan.parameters)
  } catch (cause) {
    if (!(cause instanceof HeMlError) || cause instanceof SecurityError) throw cause
    throw new FormatError(`plan: its parameters are none: ${cause.message}`, { cause })
  }
}

/** The plan with its content hash. */
export function sealPlan(plan: Omit<Plan, 'id'>): Plan {
  return { ...plan, id: planDigest(plan) }
}

/**
 * The content hash of a plan: what `id` must be.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compile, planDigest } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const plan = await compile(model)
 * assert.equal(planDigest(plan), plan.id)
 * assert.notEqual(planDigest({ ...plan, batch: 2 }), plan.id)
 * ```
 */
export function planDigest(plan: Omit<Plan, 'id'> & { id?: string }): string {
  const { id: _, ...content } = plan
  return contentHash(content)
}

/**
 * Reads a plan from JSON text and checks it whole, its hash included.
 * @throws FormatError naming the field
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compile, parsePlan } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const text = JSON.stringify(await compile(model))
 * console.log(parsePlan(text).id)
 * assert.throws(() => parsePlan(text.replace('tiny', 'other')), /it was changed after it was made/)
 * ```
 */
export function parsePlan(text: string): Plan {
  let json: unknown
  try {
    json = JSON.parse(text, (key, value) => {
      // it would be passed over, and is no name of ours
      if (key === '__proto__') throw new Error('it has a field "__proto__"')
      return value
    })
  } catch (error) {
    throw new FormatError(`plan: not JSON: ${(error as Error).message}`)
  }
  const result = planSchema.safeParse(json)
  if (!result.success) {
    const issue = result.error.issues[0]!
    throw new FormatError(`plan: field "${issue.path.join('.') || '(root)'}": ${issue.message}`)
  }
  const wanted = planDigest(result.data)
  if (wanted !== result.data.id)
    throw new FormatError(
      `plan: its content hash is ${wanted}, its id says ${result.data.id}: it was changed after it was made`,
    )
  return result.data
}

const hasParameters: OptionCheck = (value) =>
  optionCheck.object(value) === undefined && optionCheck.object((value as Partial<Plan>).parameters) === undefined
    ? undefined
    : 'a plan, as compile or parsePlan gives one'
