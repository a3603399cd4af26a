import { writeFileAtomic } from '@he-ml/ckks-core/node'
import { type Plan, parametersOf, parsePlan } from '@he-ml/pipeline'
import { aboutFile } from './about-file.ts'
import { readText } from './read-text.ts'
import { MAX_PLAN_BYTES } from './size-limits.ts'

/** Reads and checks a plan. @throws FormatError, FileSystemError naming the file */
export async function readPlan(path: string): Promise<Plan> {
  return aboutFile(path, readText(path, { maxBytes: MAX_PLAN_BYTES, what: 'a plan' }).then(checkedPlan))
}

function checkedPlan(text: string): Plan {
  const plan = parsePlan(text)
  parametersOf(plan)
  return plan
}

/** Writes a plan, whole or not at all. */
export async function writePlan(path: string, plan: Plan): Promise<void> {
  await writeFileAtomic(path, new TextEncoder().encode(`${JSON.stringify(plan, null, 1)}\n`))
}
