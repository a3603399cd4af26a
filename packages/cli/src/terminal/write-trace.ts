import { writeFileAtomic } from '@he-ml/ckks-core/node'
import type { Plan, TaskTrace } from '@he-ml/pipeline'
import { traceSvg } from './trace-svg.ts'

/** Writes what a run did when: a picture where the file is named `.svg`, otherwise JSON. */
export async function writeTrace(file: string, plan: Plan, traces: readonly TaskTrace[]): Promise<void> {
  const text = file.toLowerCase().endsWith('.svg')
    ? await traceSvg(plan, traces)
    : `${JSON.stringify({ plan: plan.id, tasks: traces }, undefined, 2)}\n`
  await writeFileAtomic(file, new TextEncoder().encode(text))
}
