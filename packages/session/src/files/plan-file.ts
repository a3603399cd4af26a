/** The plan in a folder of a client or a server. */
import { join } from 'node:path'
import { FormatError } from '@he-ml/ckks-core'
import { readOrdinaryFile, writeFileAtomic } from '@he-ml/ckks-core/node'
import { type Plan, parsePlan } from '@he-ml/pipeline'

export const PLAN_FILE = 'plan.json'
/** Of a server. */
export const KEYS_FOLDER = 'keys'
/** A plan of 65,536 tasks takes less. */
const MAX_PLAN_BYTES = 256 * 2 ** 20

/** @throws FormatError naming the file; FileSystemError */
export async function readPlanFile(folder: string): Promise<Plan> {
  const path = join(folder, PLAN_FILE)
  const bytes = await readOrdinaryFile(path, { maxBytes: MAX_PLAN_BYTES, what: 'a plan' })
  try {
    return parsePlan(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    if (cause instanceof TypeError) throw new FormatError(`${path}: not UTF-8`, { cause })
    if (cause instanceof FormatError) throw new FormatError(`${path}: ${cause.message}`, { cause })
    throw cause
  }
}

export const writePlanFile = (folder: string, plan: Plan): Promise<void> =>
  writeFileAtomic(join(folder, PLAN_FILE), new TextEncoder().encode(`${JSON.stringify(plan, null, 1)}\n`))
