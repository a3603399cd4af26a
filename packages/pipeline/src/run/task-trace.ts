/** What a run did when: for those who want to see where its time and memory went. */
import type { LayerReport } from '../plan/plan-report.ts'

/** A task that has ended. */
export interface TaskTrace {
  /** Name of the task, unique in the plan. */
  readonly task: string
  /** The same for all tiles of a batch. */
  readonly layer: string
  /** A layer's kind, 'refresh' or 'merge'. */
  readonly kind: string
  /** When it began, in seconds since the run did. Tasks overlap: one begins while the engine still computes those before. */
  readonly start: number
  /** When its results were there, in seconds since the run began. */
  readonly end: number
  /** By the plan's cost model. */
  readonly plannedSeconds: number
  /** Bytes that the engine held when it ended. */
  readonly memoryBytes: number
  /** The most that the engine held until then, in bytes. */
  readonly peakBytes: number
  /** Rotations and conjugations, by the plan. */
  readonly rotations: number
  /** Products of two ciphertexts, by the plan. */
  readonly products: number
  /** Products of a ciphertext with a plaintext or a number, by the plan. */
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
