/**
 * The plan: everything that is decided before any key exists, as JSON. It holds no weights; server and client bind it to
 * the same model again, and a content hash makes sure that it is the same.
 */
import { contentHash, FormatError, HeMlError, Parameters, SecurityError } from '@he-ml/ckks-core'
import { parseLayout, type SlotLayout } from '@he-ml/packing'
import type { Plan } from './plan-form.ts'
import { planSchema } from './plan-schema.ts'

/** Where the elements of the input lie, or of each of its frames. @throws InvalidArgumentError, FormatError for a plan that was not made by us */
export const inputLayoutOf = (plan: Plan): SlotLayout => parseLayout(plan.input.layout)
/** Where the output's elements lie. */
export const outputLayoutOf = (plan: Plan): SlotLayout => parseLayout(plan.output.layout)

/** The parameters of a plan. @throws SecurityError when they are not 128-bit secure; FormatError for numbers that are no parameters */
export function parametersOf(plan: Pick<Plan, 'parameters'>): Parameters {
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

/** The content hash of a plan: what `id` must be. */
export function planDigest(plan: Omit<Plan, 'id'> & { id?: string }): string {
  const { id: _, ...content } = plan
  return contentHash(content)
}

/**
 * Reads a plan from JSON text and checks it whole, its hash included.
 * @throws FormatError naming the field
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
