/** What a comparison shows, in plain words: nothing is called better that the seeds cannot tell from chance. */
import { holdsZero, type Interval } from '../statistics/estimate.ts'
import type { Comparison } from './summarise.ts'

/** A difference of accuracies in percentage points, with its sign. */
export function points(difference: number): string {
  const size = (100 * Math.abs(difference)).toFixed(3)
  return Number(size) === 0 ? size : `${difference < 0 ? '-' : '+'}${size}`
}

const between = ({ low, high }: Interval): string => `${points(low)} to ${points(high)}`

/** What a comparison comes to: the sign of the first's advantage, 0 where none is shown, undefined from too few pairs. */
function outcomeOf({ seeds, difference, simultaneous }: Comparison): number | undefined {
  if (!difference || !simultaneous || seeds.length < 2) return undefined
  return holdsZero(difference) || holdsZero(simultaneous) ? 0 : Math.sign(difference.mean)
}

/** All comparisons of an experiment in one sentence. */
export function tallyOf(comparisons: readonly Comparison[]): string {
  const outcomes = comparisons.map(outcomeOf)
  const count = (wanted: number | undefined) => outcomes.filter((outcome) => outcome === wanted).length
  const unknown = count(undefined)
  return (
    `Of ${comparisons.length} comparisons, the first is better in ${count(1)} and worse in ${count(-1)}; ` +
    `in ${count(0)} no difference is shown${unknown > 0 ? `; ${unknown} have too few pairs of seeds` : ''}.`
  )
}

/**
 * One sentence. A difference is shown if the interval leaves out 0, and, where an experiment makes several comparisons, the one
 * that holds for all of them together does too.
 *
 * @param comparisons how many the experiment makes
 */
export function verdictOf(comparison: Comparison, comparisons: number): string {
  const { first, second, seeds, difference, simultaneous } = comparison
  const what = `${first.label} against ${second.label}`
  const lost = [first, second]
    .filter(({ diverged }) => diverged.length > 0)
    .map(({ label, diverged }) => ` ${label} diverged with seed ${diverged.join(', ')}: those runs are not in this.`)
    .join('')
  if (!difference || !simultaneous || seeds.length < 2)
    return `${what}: too few pairs of seeds (${seeds.length}) to say anything.${lost}`
  const numbers =
    `${points(difference.mean)} points on average, 95 % interval ${between(difference)} ` +
    `(${seeds.length} pairs of seeds)`
  if (holdsZero(difference)) return `${what}: no difference shown. ${numbers}; the interval holds 0.${lost}`
  if (comparisons > 1 && holdsZero(simultaneous))
    return (
      `${what}: no difference shown. ${numbers}. This interval alone leaves out 0, but among ${comparisons} comparisons ` +
      `that happens by chance: the one that holds for all of them together, ${between(simultaneous)}, holds 0.${lost}`
    )
  const [better, worse] = difference.mean > 0 ? [first, second] : [second, first]
  const together = comparisons > 1 ? `; for all ${comparisons} comparisons together ${between(simultaneous)}` : ''
  return `${what}: ${better.label} is better than ${worse.label}. ${numbers}${together}.${lost}`
}
