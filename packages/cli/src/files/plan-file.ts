import { readFile, stat } from 'node:fs/promises'
import { FormatError } from '@he-ml/ckks-core'
import { writeFileAtomic } from '@he-ml/ckks-core/node'
import { type Plan, parsePlan } from '@he-ml/pipeline'
import { aboutFile } from './about-file.ts'

const MAX_PLAN_BYTES = 64 * 2 ** 20

/** Reads and checks a plan. @throws FormatError, FileSystemError naming the file */
export async function readPlan(path: string): Promise<Plan> {
  const { size } = await aboutFile(path, stat(path))
  if (size > MAX_PLAN_BYTES)
    throw new FormatError(`${path}: a plan has at most ${MAX_PLAN_BYTES} bytes, this file has ${size}`)
  return aboutFile(path, readFile(path, 'utf8').then(parsePlan))
}

/** Writes a plan, whole or not at all. */
export async function writePlan(path: string, plan: Plan): Promise<void> {
  await writeFileAtomic(path, new TextEncoder().encode(`${JSON.stringify(plan, null, 1)}\n`))
}
