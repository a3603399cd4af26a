import { type AnyParameters, type CostModel, createPlanEngine, type PlanEngine, toLevel } from '@he-ml/ckks-core'
import { PackedTensor, setErrorsAside } from '@he-ml/packing'
import type { ValueSize } from '../fit/fit.ts'
import { StepPreparer } from '../run/step-preparer.ts'
import { ValueTable } from '../run/value-table.ts'
import { isRefresh, type Schedule, type ScheduledStep } from './schedule.ts'

/** A schedule on its way through a plan engine. */
export class Simulation {
  readonly engine: PlanEngine
  readonly values: ValueTable
  readonly #preparer: StepPreparer
  readonly #sizes: ReadonlyMap<string, ValueSize>

  /** @param sizes how large values are, where that is known */
  constructor(made: Schedule, parameters: AnyParameters, costModel: CostModel, sizes: ReadonlyMap<string, ValueSize>) {
    const { inputLayout, inputLevel: level } = made
    this.engine = createPlanEngine(parameters, { costModel })
    this.#preparer = new StepPreparer(made, this.engine)
    this.#sizes = sizes
    const magnitude = sizes.get(made.input)?.rms ?? 1
    const inputs = Array.from({ length: inputLayout.ciphertexts }, () =>
      this.engine.input({ level, slots: inputLayout.slots, magnitude }),
    )
    this.values = new ValueTable(made, 0, new PackedTensor(inputLayout, inputs))
  }

  /**
   * Runs a step; tells what preparing and running it took.
   * @param gain by which errors of the inputs arrive, where that is known better than the engine can
   */
  async step(step: ScheduledStep, gain?: number) {
    const { engine, values } = this
    const beforeEncoding = engine.checkpoint()
    const bytes = engine.memory().plaintexts
    const prepared = await this.#preparer.prepare(step)
    const weightBytes = engine.memory().plaintexts - bytes
    const encoding = engine.report({ since: beforeEncoding })
    const before = engine.checkpoint()
    const aligned = values.read(step).map((tensor) => this.#align(tensor, step.level))
    const errors =
      gain === undefined
        ? undefined
        : setErrorsAside(
            engine,
            aligned.flatMap((a) => a.tensor.ciphertexts),
          )
    const outputs = await prepared.apply(
      engine,
      aligned.map((a) => a.tensor),
    )
    errors?.restore()
    errors?.arriveAt(outputs[0]!.ciphertexts, gain!)
    for (const a of aligned) if (a.temporary) a.tensor.dispose()
    const running = engine.report({ since: before })
    const size = this.#sizes.get(step.name)
    if (size && !isRefresh(step)) for (const c of outputs[0]!.ciphertexts) engine.declareMagnitude(c, size.rms)
    values.write(step, outputs)
    return { encoding, weightBytes, running, ciphertexts: outputs.flatMap((tensor) => tensor.ciphertexts) }
  }

  #align(tensor: PackedTensor, level: number) {
    if (tensor.level === level) return { tensor, temporary: false }
    const lowered = tensor.ciphertexts.map((c) => toLevel(this.engine, c, level))
    return { tensor: new PackedTensor(tensor.layout, lowered), temporary: true }
  }
}
