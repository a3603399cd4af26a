/** What a run was off by, as a person wants to read it. */
import type { Plan } from '@he-ml/pipeline'
import type { ValueDifference } from '@he-ml/session/diff'
import { table } from './output.ts'

/** @param images which of the data each image of the batch is */
export function diffText(plan: Plan, differences: readonly ValueDifference[], images: readonly number[]): string[] {
  const exact = differences.some(({ exactBits }) => exactBits !== undefined)
  const last = differences.at(-1)
  const clear = plan.functional ? 'what the neurons do in the clear' : 'the polynomials in the clear'
  // tasks that write several values have rows of the values' names
  const written = new Map<string, number>()
  for (const { task } of differences) written.set(task, (written.get(task) ?? 0) + 1)
  return [
    `${plan.model.name}, plan ${plan.id.slice(0, 16)}: ${differences.length} values`,
    ...(last ? [`  result: error 2^${bits(-last.bits)} against ${clear}, planned 2^${bits(-last.plannedBits)}`] : []),
    '',
    ...table(
      ['after', 'kind', 'level', 'bits', 'planned', 'of range', ...(exact ? ['of exact'] : []), 'worst element'],
      differences.map((d) => [
        written.get(d.task) === 1 ? d.task : d.value,
        d.kind,
        d.level,
        bits(d.bits),
        bits(d.plannedBits),
        bits(d.relativeBits),
        ...(exact ? [bits(d.exactBits)] : []),
        worst(d, images),
      ]),
    ),
    '',
    `bits: -log2 of the root mean square difference from ${clear}; of range: below the largest value`,
    ...(exact ? ['of exact: the same for the difference from the exact functions'] : []),
  ]
}

const bits = (value: number | undefined): string =>
  value === undefined ? '' : Number.isFinite(value) ? value.toFixed(1) : String(value)

function worst({ worst: { image, index, encrypted, clear } }: ValueDifference, images: readonly number[]): string {
  return `[${index}]${images.length > 1 ? ` of image ${images[image]}` : ''}: ${encrypted.toPrecision(6)}, not ${(Math.abs(clear) < ROUND_OFF ? 0 : clear).toPrecision(6)}`
}

/** What is smaller in the clear is zero. */
const ROUND_OFF = 1e-12
