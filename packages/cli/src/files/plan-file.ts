import { FormatError } from '@he-ml/ckks-core'
import { writeFileAtomic } from '@he-ml/ckks-core/node'
import { type Plan, parsePlan } from '@he-ml/pipeline'
import { readText } from './read-text.ts'
import { MAX_PLAN_BYTES } from './size-limits.ts'

/** Reads and checks a plan. */
export async function readPlan(path: string): Promise<Plan> {
  const text = await readText(path, { maxBytes: MAX_PLAN_BYTES, what: 'a plan' })
  try {
    return parsePlan(text)
  } catch (error) {
    if (error instanceof FormatError) error.message = `${path}: ${error.message}`
    throw error
  }
}

/** Writes a plan, whole or not at all. */
export async function writePlan(path: string, plan: Plan): Promise<void> {
  await writeFileAtomic(path, new TextEncoder().encode(`${JSON.stringify(plan, null, 1)}\n`))
}
