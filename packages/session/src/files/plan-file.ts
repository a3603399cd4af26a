/** The plan in a folder of a client or a server. */
import { join } from 'node:path'
import { FileSystemError, FormatError, InvalidArgumentError } from '@he-ml/ckks-core'
import { readOrdinaryFile, writeFileAtomic } from '@he-ml/ckks-core/node'
import { type Plan, parsePlan, planDigest } from '@he-ml/pipeline'

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

/** Writes the plan, in the place of whatever is there. @throws FormatError for a plan that was changed after it was made; FileSystemError */
export const writePlanFile = (folder: string, plan: Plan): Promise<void> =>
  writeFileAtomic(join(folder, PLAN_FILE), bytesOf(plan))

/**
 * Writes the plan where there is none, of several callers at once for one alone.
 * @throws InvalidArgumentError where there is another; FormatError for a plan that was changed after it was made; FileSystemError
 */
export async function beginPlanFile(folder: string, plan: Plan): Promise<void> {
  const path = join(folder, PLAN_FILE)
  try {
    await writeFileAtomic(path, bytesOf(plan), { overwrite: false })
  } catch (error) {
    if (!(error instanceof FileSystemError) || error.systemCode !== 'EEXIST') throw error
    const { id } = await readPlanFile(folder)
    if (id !== plan.id)
      throw new InvalidArgumentError(`${path} is plan ${id}, got plan ${plan.id}: name another folder`)
  }
}

function bytesOf(plan: Plan): Uint8Array {
  const id = planDigest(plan)
  if (id !== plan.id)
    throw new FormatError(`plan: its content hash is ${id}, its id says ${plan.id}: it was changed after it was made`)
  return new TextEncoder().encode(`${JSON.stringify(plan, null, 1)}\n`)
}
