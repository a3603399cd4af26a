/**
 * Resuming: what a task wrote is exported to a store once, when it is there, and deleted when nobody will read it any more; a run
 * started again with the same plan and the same inputs goes on from what is there. The index is written after the values that it
 * names and before those are deleted that it no longer names, so a run that dies at any point leaves a whole checkpoint. What is there
 * of another run, of other inputs, goes before the first value is written, its index first: no index ever names files of two runs.
 */
import type { Ciphertext, Engine } from '@he-ml/ckks-core'
import type { BoundPlan } from '../plan/bound-plan.ts'
import type { Program } from '../program/program.ts'
import type { ValueId } from '../program/value.ts'
import { digest } from '../ready/digest.ts'
import { type CheckpointFile, type CheckpointIndex, INDEX_FILE, parseIndex } from './checkpoint-index.ts'
import { checkpointName } from './checkpoint-name.ts'

/** Where checkpoints go: a folder, an object store. Writes must be atomic per name. */
export interface CheckpointStore {
  /** Stores bytes under a name, in place of what was there; after a crash the name has the old bytes or the new ones, whole. */
  put(name: string, bytes: Uint8Array): Promise<void>
  /** What was put last under the name; undefined when there is nothing. */
  get(name: string): Promise<Uint8Array | undefined>
  /** Removes one; harmless when it is not there. */
  delete(name: string): Promise<void>
  /** Removes everything. */
  clear(): Promise<void>
}

/** Names the inputs of a run, whatever their handles. */
export async function inputsDigest(engine: Engine, inputs: readonly Ciphertext[]): Promise<string> {
  return digest(...(await Promise.all(inputs.map((c) => engine.exportCiphertext(c)))))
}

/** Writes the checkpoints of one run. */
export class CheckpointWriter {
  readonly #store: CheckpointStore
  readonly #engine: Engine
  readonly #plan: string
  readonly #program: Program
  readonly #inputs: string
  readonly #done: Set<number>
  readonly #files: Map<ValueId, readonly CheckpointFile[]>
  /** Whether what is in the store is this run's. */
  #ours: boolean
  #last: Promise<void> = Promise.resolve()

  /** @param from the checkpoint that the run goes on from, if there is one */
  constructor(
    store: CheckpointStore,
    engine: Engine,
    { plan, program }: BoundPlan,
    inputs: string,
    from?: Pick<CheckpointIndex, 'done' | 'values'>,
  ) {
    this.#store = store
    this.#engine = engine
    this.#plan = plan.id
    this.#program = program
    this.#inputs = inputs
    this.#done = new Set(from?.done)
    this.#files = new Map(from?.values.map(({ id, files }) => [id, files]))
    this.#ours = from !== undefined
  }

  /** A task is done. @param ciphertextsOf what it wrote; undefined for a value that nobody reads any more */
  save(index: number, ciphertextsOf: (id: ValueId) => readonly Ciphertext[] | undefined): Promise<void> {
    // one after another: an index must not forget what another has just added
    const saved = this.#last.then(() => this.#save(index, ciphertextsOf))
    this.#last = saved.catch(() => undefined)
    return saved
  }

  async #save(index: number, ciphertextsOf: (id: ValueId) => readonly Ciphertext[] | undefined): Promise<void> {
    const { tasks, output } = this.#program
    this.#done.add(index)
    if (this.#done.size === tasks.length) return
    await this.#makeOurs()
    const wanted = new Set([output.id, ...tasks.flatMap(({ reads }, i) => (this.#done.has(i) ? [] : reads.flat()))])
    for (const id of tasks[index]!.writes) {
      const ciphertexts = ciphertextsOf(id)
      if (!ciphertexts || !wanted.has(id)) continue
      const files: CheckpointFile[] = []
      for (const [i, ciphertext] of ciphertexts.entries()) {
        const name = checkpointName(this.#program, id, i)
        const content = await this.#engine.exportCiphertext(ciphertext)
        await this.#store.put(name, content)
        files.push({ name, sha256: digest(content) })
      }
      this.#files.set(id, files)
    }
    const dead = [...this.#files].filter(([id]) => !wanted.has(id))
    for (const [id] of dead) this.#files.delete(id)
    await this.#store.put(INDEX_FILE, new TextEncoder().encode(JSON.stringify(this.#index())))
    for (const [, files] of dead) for (const { name } of files) await this.#store.delete(name)
  }

  async #makeOurs(): Promise<void> {
    if (this.#ours) return
    const bytes = await this.#store.get(INDEX_FILE)
    if (bytes) {
      await this.#store.delete(INDEX_FILE)
      for (const { files } of parseIndex(bytes).values) for (const { name } of files) await this.#store.delete(name)
    }
    this.#ours = true
  }

  #index(): CheckpointIndex {
    return {
      plan: this.#plan,
      inputs: this.#inputs,
      done: [...this.#done].sort((a, b) => a - b),
      values: [...this.#files].map(([id, files]) => ({ id, files: [...files] })),
    }
  }
}
