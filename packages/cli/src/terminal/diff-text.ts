/** What a run was off by, as a person wants to read it. */
import type { Plan } from '@he-ml/pipeline'
import type { ValueDifference } from '@he-ml/session/diff'
import { table } from './output.ts'

/** @param images which of the data each image of the batch is */
export function diffText(plan: Plan, differences: readonly ValueDifference[], images: readonly number[]): string[] {
  const exact = differences.some(({ exactBits }) => exactBits !== undefined)
  const last = differences.at(-1)
  return [
    `${plan.model.name}, plan ${plan.id.slice(0, 16)}: ${differences.length} values`,
    ...(last
      ? [`  result: error 2^${bits(-last.bits)} against the polynomials, planned 2^${bits(-last.plannedBits)}`]
      : []),
    '',
    ...table(
      ['after', 'kind', 'level', 'bits', 'planned', 'of range', ...(exact ? ['of exact'] : []), 'worst element'],
      differences.map((d) => [
        d.task,
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
    'bits: -log2 of the root mean square difference from the polynomials in the clear; of range: below the largest value',
    ...(exact ? ['of exact: the same for the difference from the exact functions'] : []),
  ]
}

const bits = (value: number | undefined): string =>
  value === undefined ? '' : Number.isFinite(value) ? value.toFixed(1) : String(value)

function worst({ worst: { image, index, encrypted, clear } }: ValueDifference, images: readonly number[]): string {
  return `[${index}]${images.length > 1 ? ` of image ${images[image]}` : ''}: ${encrypted.toPrecision(6)}, not ${clear.toPrecision(6)}`
}
