/**
 * How far errors may have grown that come back refresh after refresh, as membranes' do. Where a neuron decides for the same reasons again
 * and again it comes by the same point of its function each time, and if that is the worst one its error is many times the average: a
 * recording over ten steps had wrong spikes at 12.7 average standard deviations. So the worst point is taken at every step.
 */
import type { FunctionalEstimate, GridFunction } from '@he-ml/ckks-core'
import type { LayerRefresh } from '@he-ml/packing'
import type { Program } from '../program/program.ts'
import { isRefresh, type Task } from '../program/task.ts'
import type { ValueId } from '../program/value.ts'

type Carrying = Pick<LayerRefresh, 'carried' | 'period'>

/** Errors that no longer grow by more than this are taken for settled. */
const SETTLED = 1e-2

/**
 * @param estimate of what is decided on
 * @param hops how often before an error came back
 * @param functions that it came by
 * @returns root mean square error of a neuron that came by the worst point every time, in periods
 */
export function worstDeviation(
  { deviation, lengthened }: FunctionalEstimate,
  hops: number,
  functions: readonly Carrying[],
): number {
  const outOf = (f: GridFunction, error: number) => f.worstError(error * f.points, lengthened * f.points)
  const arrives = (error: number): number =>
    functions.reduce(
      (worst, { carried, period }) => carried.reduce((most, f) => Math.max(most, outOf(f, error) / period), worst),
      0,
    )
  let worst = deviation
  for (let hop = 0; hop < hops && worst < HOPELESS; hop++) {
    const next = Math.hypot(deviation, arrives(worst))
    if (next <= worst * (1 + SETTLED)) return Math.max(worst, next)
    worst = next
  }
  return worst
}

/** In periods: whatever is that far off is decided by chance. */
const HOPELESS = 1

/** To a power of 2^(1/16), 4 % at most. */
const roundedUp = (error: number): number => (error > 0 ? 2 ** (Math.ceil(16 * Math.log2(error)) / 16) : 0)

/** How often what each value was made of came back before. */
export class Hops {
  readonly #known = new Map<ValueId, number>()
  readonly #functions: readonly Carrying[]
  readonly #growths = new Map<string, number>()

  constructor({ tasks }: Pick<Program, 'tasks'>) {
    const seen = new Map<GridFunction, Carrying>()
    for (const task of tasks) {
      const refresh = isRefresh(task) ? undefined : task.circuit.refresh
      for (const f of refresh?.carried ?? []) seen.set(f, { carried: [f], period: refresh!.period })
    }
    this.#functions = [...seen.values()]
  }

  /** How many times the average an error may be where the task decides; at least 1. */
  growth(task: Task, { deviation, lengthened }: FunctionalEstimate): number {
    const hops = this.#of(task)
    if (hops === 0 || !(deviation > 0)) return 1
    // many refreshes are nearly alike
    const about = { deviation: roundedUp(deviation), lengthened: roundedUp(lengthened) }
    const key = [hops, about.deviation, about.lengthened].join()
    const growth = this.#growths.get(key) ?? worstDeviation(about, hops, this.#functions) / about.deviation
    this.#growths.set(key, growth)
    return growth
  }

  /** Books a task's results. */
  write(task: Task): void {
    if (isRefresh(task) || !task.circuit.refresh) return
    const hops = this.#of(task)
    for (const id of task.writes) this.#known.set(id, hops)
  }

  #of(task: Task): number {
    const own = isRefresh(task) ? 0 : (task.circuit.refresh?.hops ?? 0)
    return own > 0 ? own + Math.max(0, ...task.reads.flat().map((id) => this.#known.get(id) ?? 0)) : 0
  }
}
