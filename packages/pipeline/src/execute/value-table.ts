/**
 * The living values of a run. A value is disposed of after its last reader; the caller's input never is. Single assignment makes
 * the books simple: what a task wrote is there until nobody reads it any more.
 */
import type { Ciphertext } from '@he-ml/ckks-core'
import { PackedTensor } from '@he-ml/packing'
import { inputIds, type Program } from '../program/program.ts'
import type { Task } from '../program/task.ts'
import type { ValueId } from '../program/value.ts'

/** Ciphertexts by value. */
export class ValueTable {
  readonly #program: Program
  readonly #inputs: ReadonlySet<ValueId>
  readonly #values = new Map<ValueId, readonly Ciphertext[]>()
  /** Tasks to come that read each value; the output has the caller as one more. */
  readonly #readers = new Map<ValueId, number>()

  /**
   * @param inputs ciphertexts of all input values, one behind the other
   * @param done tasks that ran before, in another run
   */
  constructor(program: Program, inputs: readonly Ciphertext[], done: (task: Task) => boolean = () => false) {
    this.#program = program
    this.#inputs = inputIds(program)
    const { ciphertexts: each } = program.input.layout
    for (const [i, { id }] of program.input.values.entries())
      this.#values.set(id, inputs.slice(i * each, (i + 1) * each))
    this.#readers.set(program.output.id, 1)
    for (const task of program.tasks)
      if (!done(task)) for (const id of task.reads.flat()) this.#readers.set(id, this.readers(id) + 1)
  }

  /** Readers to come. */
  readers(id: ValueId): number {
    return this.#readers.get(id) ?? 0
  }

  get(id: ValueId): readonly Ciphertext[] | undefined {
    return this.#values.get(id)
  }

  /** Whether everything that a task reads is there. */
  has({ reads }: Pick<Task, 'reads'>): boolean {
    return reads.every((operand) => operand.every((id) => this.#values.has(id)))
  }

  /** What a task works on, the parts of each operand put together. */
  read({ reads }: Pick<Task, 'reads'>): PackedTensor[] {
    return reads.map(
      (operand) =>
        new PackedTensor(
          this.#program.values.get(operand[0]!)!.layout,
          operand.flatMap((id) => this.#values.get(id)!),
        ),
    )
  }

  /** Books a task's results; what it read for the last time goes. */
  write({ reads, writes }: Pick<Task, 'reads' | 'writes'>, results: readonly PackedTensor[]): void {
    for (const [i, id] of writes.entries()) this.put(id, results[i]!.ciphertexts)
    for (const id of reads.flat()) this.#readers.set(id, this.readers(id) - 1)
    for (const id of reads.flat()) if (this.readers(id) === 0) this.#drop(id)
  }

  /** Lets go what a task wrote and nobody will read: the state after the last time step. */
  dropUnread({ writes }: Pick<Task, 'writes'>): void {
    for (const id of writes) if (this.readers(id) === 0) this.#drop(id)
  }

  /** A value that comes from elsewhere, or again. */
  put(id: ValueId, ciphertexts: readonly Ciphertext[]): void {
    this.#values.set(id, ciphertexts)
  }

  /** Takes a value out of the table; it is the caller's from now on. */
  take(id: ValueId): readonly Ciphertext[] {
    const ciphertexts = this.#values.get(id)!
    this.#values.delete(id)
    return ciphertexts
  }

  /** The result, the caller's from now on. */
  takeOutput(): PackedTensor {
    const { id, layout } = this.#program.output
    return new PackedTensor(layout, this.take(id))
  }

  /** All values but the inputs. */
  *computed(): Iterable<readonly [ValueId, readonly Ciphertext[]]> {
    for (const entry of this.#values) if (!this.#inputs.has(entry[0])) yield entry
  }

  /** Disposes of everything but the inputs. */
  dispose(): void {
    for (const [id] of [...this.computed()]) this.#drop(id)
  }

  #drop(id: ValueId): void {
    if (this.#inputs.has(id)) return
    for (const ciphertext of this.#values.get(id) ?? []) ciphertext.dispose()
    this.#values.delete(id)
  }
}
