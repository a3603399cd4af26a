/**
 * A run looked at from inside, value by value: what is encrypted against what it should be, and against what the plan expects. It needs
 * the secret key of a client and the engine of a server in one process, so it is for keys made for the purpose and data that are no
 * secret: a way to see where a network loses its precision, and where values leave their range.
 */
import { CancelledError, checkOptions, type OptionChecks, optionCheck, ParameterMismatchError } from '@he-ml/ckks-core'
import { createTensor, type Model, originOf, type Tensor } from '@he-ml/model'
import {
  type BoundPlan,
  isRefresh,
  modelDigest,
  type RunProgress,
  restoreChannels,
  type Task,
  type Value,
} from '@he-ml/pipeline'
import type { ServerSession } from '../server/server-session.ts'
import { approximateValues, exactValues } from './clear-values.ts'
import { type Comparison, compareSlots, type WorstElement } from './compare-slots.ts'
import { tensorsOf } from './read-slots.ts'
import { watchValues } from './watched-values.ts'

/** A value after the task that wrote it. */
export interface ValueDifference {
  /** Layer or refresh, as the plan's report names it. */
  readonly task: string
  /** A layer's kind, or 'refresh'. */
  readonly kind: string
  /** Name of the value in the model; of a model over time with its step. */
  readonly value: string
  /** Level at which it was written. */
  readonly level: number
  /** -log2 of the root mean square difference from the polynomials in the clear, in the units in which values are held. */
  readonly bits: number
  /** The same as the plan expects it. */
  readonly plannedBits: number
  /** How many bits the difference lies below the largest value; absent where all are zero. */
  readonly relativeBits?: number
  /**
   * How many bits the difference from the exact functions lies below the largest value: what the approximation costs too. Only with
   * the model, of models without time; absent where all values are zero.
   */
  readonly exactBits?: number
  /** In the units of the model. */
  readonly worst: WorstElement
}

/** A value of a run, decrypted, beside what it should be; in the units of the model, but for channels that were equalized. */
export interface DecryptedValue {
  /** Layer or refresh that wrote it, as the plan's report names it. */
  readonly task: string
  /** Name of the value in the model; of a model over time with its step. */
  readonly value: string
  /** A tensor for each image. Where a value is one part of several, or of some of the images, the rest of them is NaN. */
  readonly encrypted: readonly Tensor[]
  /** The whole tensors in the clear, as encryption should compute them: with polynomials, or with functions on a grid. */
  readonly clear: readonly Tensor[]
}

/** The owner of the secret key: a ClientSession. */
export interface DiffClient {
  /** As `ClientSession.encrypt`. @param options.allowOutOfRange of values outside the range that the plan was calibrated for */
  encrypt(images: readonly Tensor[], options: { readonly allowOutOfRange: boolean }): Promise<Uint8Array>
  /** Slots of each ciphertext of any file. */
  decryptSlots(file: Uint8Array): Promise<Float64Array[]>
}

/** Options of {@link diffRun}. */
export interface DiffOptions {
  /** Encrypts the inputs and decrypts every value. */
  readonly client: DiffClient
  /** Its keys are open. */
  readonly server: ServerSession
  /** The model that the plan was made for, to compare with its exact functions. */
  readonly model?: Model
  /** As each value appears. */
  readonly onDifference?: (difference: ValueDifference) => void
  /** As each value appears, after `onDifference`: all of it, where a difference is not enough. */
  readonly onTensors?: (value: DecryptedValue) => void
  /** As the run's own. */
  readonly onProgress?: (progress: Pick<RunProgress, 'fraction' | 'layer'>) => void
  /** Stops the run, which fails with CancelledError. */
  readonly signal?: AbortSignal
}

const OPTIONS: OptionChecks<DiffOptions> = {
  client: optionCheck.object,
  server: optionCheck.object,
  model: optionCheck.object,
  onDifference: optionCheck.callable,
  onTensors: optionCheck.callable,
  onProgress: optionCheck.callable,
  signal: optionCheck.signal,
}

/**
 * Encrypts, runs, and compares what every task writes.
 *
 * @param images at most as many as the plan's batch
 * @returns in the order of the plan's tasks; of a value that nobody reads nothing is told
 * @throws ParameterMismatchError for a server of another plan, or another model; what encryption and runs throw, for a client of another plan too
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createNativeHost } from '@he-ml/ckks-native'
 * import { createNativeClient } from '@he-ml/ckks-native/client'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compileAndBind } from '@he-ml/pipeline'
 * import { openServer } from '@he-ml/session'
 * import { openClient } from '@he-ml/session/client'
 * import { diffRun } from '@he-ml/session/diff'
 *
 * const layer = linear({ name: 'sum', weights: createTensor([1, 4], Float64Array.of(1, 2, 3, 4)) })
 * const model = new Model({ name: 'toy', input: { name: 'x', shape: [4] }, nodes: [{ layer, inputs: ['x'] }] })
 * const bound = await compileAndBind(model)
 * await using client = await openClient(bound.plan, createNativeClient)
 * await using server = await openServer(bound, createNativeHost, await client.evaluationKeys())
 * const image = createTensor([4], Float64Array.of(0.1, 0.2, 0.3, 0.4))
 * const [difference] = await diffRun(bound, [image], { client: client.session, server: server.session, model })
 * assert.equal(difference!.task, 'sum')
 * console.log(difference!.bits, difference!.plannedBits, difference!.worst)
 * ```
 */
export async function diffRun(
  bound: BoundPlan,
  images: readonly Tensor[],
  options: DiffOptions,
): Promise<ValueDifference[]> {
  checkOptions('diffRun', options, OPTIONS)
  const { client, server, onProgress, onDifference, onTensors, signal } = options
  const { id } = server.bound.plan
  if (id !== bound.plan.id)
    throw new ParameterMismatchError(`diffRun: the plan is ${bound.plan.id}, the server's is ${id}: open one for it`)
  const { model } = options
  if (model && modelDigest(model) !== bound.plan.model.digest)
    throw new ParameterMismatchError(`diffRun: "${model.name}" is not the model that the plan was made for`)
  const { program } = bound
  const clear = new ClearTwin(bound, images, model)
  const taskOf = new Map(program.tasks.flatMap((task) => task.writes.map((id) => [id, task] as const)))
  const found = new Map<string, ValueDifference>()
  const take = (value: Value, slots: readonly Float64Array[]): void => {
    const task = taskOf.get(value.id)!
    const difference = clear.compare(value, slots, task)
    if (!difference) return
    found.set(value.id, difference)
    onDifference?.(difference)
    onTensors?.(clear.beside(value, slots, task))
  }
  const file = await client.encrypt(images, { allowOutOfRange: true })
  if (signal?.aborted) throw new CancelledError('diffRun: cancelled before the run', { cause: signal.reason })
  const result = await server.run(file, {
    checkpoints: watchValues(program, async (one) => (await client.decryptSlots(one))[0]!, take),
    ...(onProgress ? { onProgress } : {}),
    ...(signal ? { signal } : {}),
  })
  take(program.output, await client.decryptSlots(result.file))
  return program.tasks.flatMap(({ writes }) => writes.flatMap((id) => found.get(id) ?? []))
}

/** What a network should compute. */
class ClearTwin {
  readonly #bound: BoundPlan
  /** By image. */
  readonly #approximate: readonly ReadonlyMap<string, Tensor>[]
  readonly #exact: readonly ReadonlyMap<string, Tensor>[] | undefined

  constructor(bound: BoundPlan, images: readonly Tensor[], model: Model | undefined) {
    this.#bound = bound
    this.#approximate = images.map((image) => approximateValues(bound.model, image))
    // a value over time has one name and many contents
    const timeless = model && model.steps === 1 && bound.model.nodes.every(({ origin }) => origin === undefined)
    const held = timeless && restoreChannels(model, bound.plan.decided)
    this.#exact = held ? images.map((image) => exactValues(held, image)) : undefined
  }

  compare(value: Value, slots: readonly Float64Array[], task: Task): ValueDifference | undefined {
    const { tensor } = value
    const compared = compareSlots(value, slots, this.#all(this.#approximate, tensor)!)
    if (!compared) return undefined
    const { report } = this.#bound.plan
    const planned = report.layers[this.#bound.program.tasks.indexOf(task)]!
    const exact = this.#exactComparison(value, slots)
    return {
      task: task.id,
      kind: isRefresh(task) ? 'refresh' : task.kind,
      value: tensor,
      level: value.level,
      bits: -Math.log2(compared.error),
      plannedBits: planned.precisionBits,
      ...(compared.largest > 0 ? { relativeBits: Math.log2(compared.largest / compared.error) } : {}),
      ...(exact && exact.largest > 0 ? { exactBits: Math.log2(exact.largest / exact.error) } : {}),
      worst: inUnitsOf(this.#factorOf(tensor), compared.worst),
    }
  }

  /** Encrypted and clear, of a value that holds anything. */
  beside(value: Value, slots: readonly Float64Array[], task: Task): DecryptedValue {
    const { tensor } = value
    const factor = this.#factorOf(tensor)
    const held = this.#all(this.#approximate, tensor)!
    const { shape } = held[0]!
    return {
      task: task.id,
      value: tensor,
      encrypted: tensorsOf(value, slots, { images: held.length, shape, factor }),
      clear: held.map(({ data }) =>
        createTensor(
          [...shape],
          data.map((x) => x / factor),
        ),
      ),
    }
  }

  #exactComparison(value: Value, slots: readonly Float64Array[]): Comparison | undefined {
    const clear = this.#exact && this.#all(this.#exact, value.tensor)
    if (!clear) return undefined
    const factor = this.#factorOf(value.tensor)
    return compareSlots(
      value,
      slots.map((vector) => vector.map((x) => x / factor)),
      clear,
    )
  }

  #factorOf(tensor: string): number {
    return this.#bound.plan.decided.factors[originOf(this.#bound.model, tensor)] ?? 1
  }

  #all(images: readonly ReadonlyMap<string, Tensor>[], tensor: string): readonly Tensor[] | undefined {
    const all = images.map((values) => values.get(tensor))
    return all.every((one) => one !== undefined) ? all : undefined
  }
}

const inUnitsOf = (factor: number, { encrypted, clear, ...rest }: WorstElement): WorstElement => ({
  ...rest,
  encrypted: encrypted / factor,
  clear: clear / factor,
})
