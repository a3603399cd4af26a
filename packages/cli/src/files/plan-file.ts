import { readFile, stat } from 'node:fs/promises'
import { FormatError } from '@he-ml/ckks-core'
import { writeFileAtomic } from '@he-ml/ckks-core/node'
import { type Plan, parsePlan } from '@he-ml/pipeline'

const MAX_PLAN_BYTES = 64 * 2 ** 20

/** Reads and checks a plan. */
export async function readPlan(path: string): Promise<Plan> {
  const { size } = await stat(path)
  if (size > MAX_PLAN_BYTES)
    throw new FormatError(`${path}: a plan has at most ${MAX_PLAN_BYTES} bytes, this file has ${size}`)
  try {
    return parsePlan(await readFile(path, 'utf8'))
  } catch (error) {
    if (error instanceof FormatError) error.message = `${path}: ${error.message}`
    throw error
  }
}

/** Writes a plan, whole or not at all. */
export async function writePlan(path: string, plan: Plan): Promise<void> {
  await writeFileAtomic(path, new TextEncoder().encode(`${JSON.stringify(plan, null, 1)}\n`))
}
