/**
 * How sure a decision is about errors that come back refresh after refresh, as membranes' do. Where a neuron decides for the same reasons
 * again and again it comes by the same point of its function each time; at the worst one errors of an eighth of a step or more grow from step to
 * step, while the average dies out: recordings over ten steps had wrong spikes at 12.7 average standard deviations. So of all ways to a wrong
 * decision of a neuron at its worst point the least improbable one is taken.
 */
import type { FunctionalEstimate, GridFunction } from '@he-ml/ckks-core'
import type { LayerRefresh } from '@he-ml/packing'
import type { Program } from '../program/program.ts'
import { isRefresh, type Task } from '../program/task.ts'
import type { ValueId } from '../program/value.ts'

type Carrying = Pick<LayerRefresh, 'carried' | 'period'>

/** Errors that are told apart, up to half a step. */
const STEPS = 96

/**
 * Standard deviations to a wrong decision. Errors e_0, e_1, ... of what is decided on, the last one half a step: e_0 is new, each e_i what the
 * function makes of the one before and something new. New errors are normal, so that of all ways the one with the least sum of squares is as
 * improbable as a normal number as far out.
 *
 * @param estimate of what is decided on, with its margin
 * @param hops how often before an error came back
 * @param functions that it came by
 */
export function marginOfWorst(
  { deviation, lengthened, margin = 0 }: FunctionalEstimate,
  hops: number,
  functions: readonly Carrying[],
): number {
  const half = margin * deviation
  const errors = Float64Array.from({ length: STEPS + 1 }, (_, i) => (half * i) / STEPS)
  const outOf = errors.map((error) => worst(functions, (f) => f.worstAt(error * f.points)))
  // what a refresh adds to the length of E comes out beside what was turned
  const added = Math.hypot(
    deviation,
    worst(functions, (f) => f.worstError(0, lengthened * f.points)),
  )
  let squares = errors.map((error) => (error / deviation) ** 2)
  for (let hop = 0; hop < hops; hop++) {
    const before = squares
    squares = errors.map((error) =>
      before.reduce(
        (least, square, i) => Math.min(least, square + (Math.max(0, error - outOf[i]!) / added) ** 2),
        Infinity,
      ),
    )
    // errors that are there anyway need not come from before
    if (squares.every((square, i) => square >= before[i]! * (1 - SETTLED))) break
  }
  return Math.sqrt(squares[STEPS]!)
}

/** Ways that become no less improbable are not followed further. */
const SETTLED = 1e-3

/** Over all functions, in periods. */
const worst = (functions: readonly Carrying[], error: (f: GridFunction) => number): number =>
  functions.reduce((most, { carried, period }) => carried.reduce((of, f) => Math.max(of, error(f) / period), most), 0)

/** How often what each value was made of came back before. */
export class Hops {
  readonly #known = new Map<ValueId, number>()
  readonly #functions: readonly Carrying[]
  readonly #margins = new Map<string, number>()

  constructor({ tasks }: Pick<Program, 'tasks'>) {
    const seen = new Map<GridFunction, Carrying>()
    for (const task of tasks) {
      const refresh = isRefresh(task) ? undefined : task.circuit.refresh
      for (const f of refresh?.carried ?? []) seen.set(f, { carried: [f], period: refresh!.period })
    }
    this.#functions = [...seen.values()]
  }

  /** What is decided in a task, with the margin of the worst neuron in place of the average one. */
  ofWorst(task: Task, estimate: FunctionalEstimate): FunctionalEstimate {
    const hops = Math.max(0, ...this.#of(task))
    const { deviation, lengthened, margin } = estimate
    if (hops === 0 || margin === undefined || !(deviation > 0)) return estimate
    // many refreshes are nearly alike
    const about = { deviation: roundedUp(deviation), lengthened: roundedUp(lengthened) }
    // of the finest grid there: half a step of one grid is not that of another
    const half = margin * deviation
    const key = [hops, about.deviation, about.lengthened, half.toPrecision(9)].join()
    const known =
      this.#margins.get(key) ?? marginOfWorst({ ...about, margin: half / about.deviation }, hops, this.#functions)
    this.#margins.set(key, known)
    return { ...estimate, margin: Math.min(margin, known) }
  }

  /** Books a task's results. */
  write(task: Task): void {
    for (const [i, hops] of this.#of(task).entries()) this.#known.set(task.writes[i]!, hops)
  }

  /** Of each result. */
  #of(task: Task): number[] {
    const refresh = isRefresh(task) ? undefined : task.circuit.refresh
    if (!refresh) return []
    const before = (operands: readonly (readonly ValueId[])[]) =>
      Math.max(0, ...operands.flat().map((id) => this.#known.get(id) ?? 0))
    if (refresh.cells.length === 0) {
      const all = refresh.hops > 0 ? refresh.hops + before(task.reads) : 0
      return task.writes.map(() => all)
    }
    let at = 0
    return refresh.cells.flatMap(({ inputs, outputs }) => {
      const own = task.reads.slice(at, at + inputs)
      at += inputs
      const hops = inputs > 1 ? 1 + before(own) : 0
      return new Array<number>(outputs).fill(hops)
    })
  }
}

/** To a power of 2^(1/16), 4 % at most. */
const roundedUp = (error: number): number => (error > 0 ? 2 ** (Math.ceil(16 * Math.log2(error)) / 16) : 0)
