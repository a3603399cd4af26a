/**
 * One task on an engine: its weights encoded, what it reads aligned, its circuit applied. The plan engine, the clear engine and
 * those with ciphertexts all go through here, so that what was planned is what runs.
 */
import type { Encoder, Evaluator, FunctionalEstimate, PaceOptions } from '@he-ml/ckks-core'
import { PackedTensor, type RefreshCircuit } from '@he-ml/packing'
import type { Program } from '../program/program.ts'
import { isRefresh, type LayerTask, type RefreshTask, type Task } from '../program/task.ts'
import { type Aligned, align } from './align.ts'
import { PreparedRefresh } from './prepare-refresh.ts'
import { WeightsTable } from './weights-table.ts'

export interface StepOptions extends PaceOptions {
  /**
   * Sees what the circuit is given, at its level, just before it runs; what it returns sees the results. An engine that
   * estimates is told things here.
   */
  readonly observe?: (inputs: readonly PackedTensor[]) => ((outputs: readonly PackedTensor[]) => void) | undefined
  /** Told of each functional bootstrap on engines that estimate. */
  readonly onRefresh?: (estimate: FunctionalEstimate) => void
}

/** Runs the tasks of a program on one engine. */
export class StepExecutor {
  readonly weights: WeightsTable
  readonly #engine: Encoder & Evaluator

  /** @param weights default: a table of its own; one that other executors share may belong to another lane of the engine */
  constructor(program: Pick<Program, 'weights'>, engine: Encoder & Evaluator, weights?: WeightsTable) {
    this.#engine = engine
    this.weights = weights ?? new WeightsTable(program, engine)
  }

  /** Encodes whatever the task needs that is not there yet. @throws CancelledError through the signal */
  async prepare({ weights }: Pick<Task, 'weights'>, signal?: AbortSignal): Promise<void> {
    for (const id of weights) await this.weights.encode(id, signal ? { signal } : {})
  }

  /**
   * One tensor for each value that the task writes; queued, not done, on an engine with a queue. Inputs are not disposed of.
   * @throws CancelledError, MissingKeyError, and whatever the engine throws
   */
  async run(task: Task, inputs: readonly PackedTensor[], options: StepOptions = {}): Promise<readonly PackedTensor[]> {
    const { observe, onRefresh, ...pace } = options
    await this.prepare(task, pace.signal)
    const aligned: Aligned[] = []
    try {
      for (const tensor of inputs) aligned.push(align(this.#engine, tensor, task.level))
      const given = aligned.map(({ tensor }) => tensor)
      const observed = observe?.(given)
      const outputs = isRefresh(task)
        ? await this.#refresh(task, given, pace)
        : await this.#layer(task, given, pace, onRefresh)
      observed?.(outputs)
      return outputs
    } finally {
      for (const { tensor, temporary } of aligned) if (temporary) tensor.dispose()
    }
  }

  async #layer(
    task: LayerTask,
    inputs: readonly PackedTensor[],
    pace: PaceOptions,
    onRefresh?: (estimate: FunctionalEstimate) => void,
  ): Promise<readonly PackedTensor[]> {
    const circuit = await this.weights.find('layer', task.weights)
    const refresh = await this.weights.find('functional', task.weights)
    if (!refresh) return circuit!.apply(this.#engine, inputs, pace)
    const observed: RefreshCircuit = {
      ...(task.together === undefined ? {} : { together: task.together }),
      evaluateTogether: (engine, travellers, functions, options) =>
        refresh.evaluateTogether(engine, travellers, functions, {
          ...options,
          ...(onRefresh ? { observe: onRefresh } : {}),
        }),
    }
    return circuit!.apply(this.#engine, inputs, { ...pace, refresh: observed })
  }

  async #refresh(task: RefreshTask, inputs: readonly PackedTensor[], pace: PaceOptions): Promise<PackedTensor[]> {
    const circuit = await this.weights.find('bootstrapping', task.weights)
    const masks = await this.weights.find('masks', task.weights)
    const { shape, range, together } = task.refresh
    const refresh = new PreparedRefresh(circuit!, { name: task.id, shape, range, together }, masks)
    const carried = inputs.flatMap(({ ciphertexts }) => ciphertexts)
    const fresh = await refresh.apply(this.#engine, carried, pace)
    let taken = 0
    return inputs.map(({ layout, ciphertexts }) => {
      taken += ciphertexts.length
      return new PackedTensor(layout, fresh.slice(taken - ciphertexts.length, taken))
    })
  }
}
