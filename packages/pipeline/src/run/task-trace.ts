/** What a run did when: for those who want to see where its time and memory went. */
import type { LayerReport } from '../plan/plan.ts'

/** A task that has ended. */
export interface TaskTrace {
  readonly task: string
  /** The same for all tiles of a batch. */
  readonly layer: string
  /** A layer's kind, 'refresh' or 'merge'. */
  readonly kind: string
  /** Seconds since the run began. Tasks overlap: one begins while the engine still computes those before. */
  readonly start: number
  readonly end: number
  /** By the plan's cost model. */
  readonly plannedSeconds: number
  /** Bytes that the engine held when it ended, and the most it held until then. */
  readonly memoryBytes: number
  readonly peakBytes: number
  readonly rotations: number
  readonly products: number
  readonly plaintextProducts: number
}

/** Bytes that an engine holds. */
type Memory = () => { readonly total: number; readonly peak: number }

/** Times tasks from its making on. */
export class TaskTracer {
  readonly #report: readonly LayerReport[]
  readonly #memory: Memory
  readonly #began = performance.now()
  readonly #starts = new Map<number, number>()

  /** @param report of the plan, a line for each task */
  constructor(report: readonly LayerReport[], memory: Memory) {
    this.#report = report
    this.#memory = memory
  }

  start(index: number): void {
    this.#starts.set(index, this.#now())
  }

  finish(index: number): TaskTrace {
    const { name, of = name, kind, seconds, rotations, products, plaintextProducts } = this.#report[index]!
    const { total, peak } = this.#memory()
    const counts = { rotations, products, plaintextProducts }
    const times = { start: this.#starts.get(index)!, end: this.#now(), plannedSeconds: seconds }
    return { task: name, layer: of, kind, ...times, memoryBytes: total, peakBytes: peak, ...counts }
  }

  #now(): number {
    return (performance.now() - this.#began) / 1000
  }
}
