import { type AnyParameters, type CostModel, createPlanEngine, type PlanEngine } from '@he-ml/ckks-core'
import { type PackedTensor, setErrorsAside } from '@he-ml/packing'
import { StepExecutor } from '../execute/step-executor.ts'
import { ValueTable } from '../execute/value-table.ts'
import type { Program } from '../program/program.ts'
import { isRefresh, type Task } from '../program/task.ts'
import type { WeightsId } from '../program/weights.ts'
import type { ValueSize } from '../ready/calibration.ts'
import { Hops } from './carried-errors.ts'
import { Decisions } from './decisions.ts'

/** A program on its way through a plan engine. */
export class Simulation {
  readonly engine: PlanEngine
  readonly values: ValueTable
  readonly #program: Program
  readonly #executor: StepExecutor
  readonly #sizes: ReadonlyMap<string, ValueSize>
  /** Of functional bootstraps. */
  readonly decisions = new Decisions()
  readonly #hops: Hops
  readonly #weightBytes = new Map<WeightsId, number>()
  readonly #deferred = new Map<WeightsId, number>()

  /**
   * @param sizes how large values are, where that is known
   * @param betweenCopies see PlanEngineOptions
   */
  constructor(
    program: Program,
    parameters: AnyParameters,
    costModel: CostModel,
    sizes: ReadonlyMap<string, ValueSize>,
    betweenCopies = false,
  ) {
    const { values, layout, level } = program.input
    this.engine = createPlanEngine(parameters, { costModel, betweenCopies })
    this.#program = program
    this.#hops = new Hops(program)
    this.#executor = new StepExecutor(program, this.engine)
    this.#sizes = sizes
    const inputs = values.flatMap(({ tensor }) => {
      const magnitude = sizes.get(tensor)?.rms ?? 1
      return Array.from({ length: layout.ciphertexts }, () =>
        this.engine.input({ level, slots: layout.slots, magnitude }),
      )
    })
    this.values = new ValueTable(program, inputs)
  }

  /** Bytes of all weights that were encoded. */
  get weightBytes(): ReadonlyMap<WeightsId, number> {
    return this.#weightBytes
  }

  /** Bytes of those that take less when they are deferred. */
  get deferredWeightBytes(): ReadonlyMap<WeightsId, number> {
    return this.#deferred
  }

  /**
   * Runs a task; tells what preparing and running it took.
   * @param gains by which errors of the inputs arrive at each result, where that is known better than the engine can
   */
  async step(task: Task, gains?: readonly number[]) {
    const { engine, values } = this
    const beforeEncoding = engine.checkpoint()
    await this.#encode(task)
    const encoding = engine.report({ since: beforeEncoding })
    const before = engine.checkpoint()
    const outputs = await this.#executor.run(task, values.read(task), {
      onRefresh: (estimate) => this.decisions.add(this.#hops.ofWorst(task, estimate), engine.parameters.maxSlots),
      observe: (inputs) => {
        if (gains === undefined) return undefined
        const errors = setErrorsAside(
          engine,
          inputs.flatMap(({ ciphertexts }) => ciphertexts),
        )
        return (results) => {
          errors?.restore()
          for (const [i, { ciphertexts }] of results.entries()) errors?.arriveAt(ciphertexts, gains[i]!)
        }
      },
    })
    if (!isRefresh(task)) this.decisions.expect(task.circuit.refresh?.strays ?? 0)
    const running = engine.report({ since: before })
    if (!isRefresh(task)) this.#declareSizes(task, outputs)
    values.write(task, outputs)
    this.#hops.write(task)
    return { encoding, running, ciphertexts: outputs.flatMap(({ ciphertexts }) => ciphertexts) }
  }

  #declareSizes({ writes }: Task, outputs: readonly PackedTensor[]): void {
    for (const [i, id] of writes.entries()) {
      const size = this.#sizes.get(this.#program.values.get(id)!.tensor)
      if (size) for (const c of outputs[i]!.ciphertexts) this.engine.declareMagnitude(c, size.rms)
    }
  }

  async #encode({ weights }: Task): Promise<void> {
    for (const id of weights) {
      if (this.#weightBytes.has(id)) continue
      const [bytes, deferrable] = [this.engine.memory().plaintexts, this.engine.deferrableBytes]
      await this.#executor.weights.encode(id)
      const taken = this.engine.memory().plaintexts - bytes
      this.#weightBytes.set(id, taken)
      const less = this.engine.deferrableBytes - deferrable
      if (this.#program.weights.get(id)!.kind === 'layer' && less > 0) this.#deferred.set(id, taken - less)
    }
  }
}
