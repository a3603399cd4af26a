/** A checkpoint read back and held against its plan: everything in it may be damaged. */
import { type Ciphertext, type Engine, FormatError } from '@he-ml/ckks-core'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { inputIds, type Program } from '../program/program.ts'
import type { ValueId } from '../program/value.ts'
import { digest } from '../ready/digest.ts'
import type { CheckpointStore } from './checkpoint.ts'
import { type CheckpointFile, type CheckpointIndex, INDEX_FILE, parseIndex } from './checkpoint-index.ts'

/** What a run goes on from. */
export interface Resumed {
  readonly index: CheckpointIndex
  readonly values: ReadonlyMap<ValueId, readonly Ciphertext[]>
}

/**
 * The values to go on with, or undefined when there is no checkpoint for this plan and these inputs.
 * @throws FormatError for what is damaged or incomplete; nothing stays in the engine then
 */
export async function loadCheckpoint(
  store: CheckpointStore,
  { plan, program }: BoundPlan,
  engine: Engine,
  inputs: string,
): Promise<Resumed | undefined> {
  const bytes = await store.get(INDEX_FILE)
  if (bytes === undefined) return undefined
  const index = parseIndex(bytes)
  if (index.plan !== plan.id || index.inputs !== inputs) return undefined
  assertComplete(program, index)
  const values = new Map<ValueId, Ciphertext[]>()
  try {
    for (const { id, files } of index.values) {
      const { part } = program.values.get(id)!
      if (files.length !== part.count)
        throw new FormatError(`checkpoint: "${id}" has ${part.count} ciphertexts, the index lists ${files.length}`)
      const ciphertexts: Ciphertext[] = []
      values.set(id, ciphertexts)
      for (const file of files) ciphertexts.push(await load(store, engine, file))
    }
  } catch (error) {
    for (const ciphertext of [...values.values()].flat()) ciphertext.dispose()
    throw error
  }
  return { index, values }
}

async function load(store: CheckpointStore, engine: Engine, { name, sha256 }: CheckpointFile): Promise<Ciphertext> {
  const content = await store.get(name)
  if (content === undefined) throw new FormatError(`checkpoint: "${name}" is missing; clear the store to start afresh`)
  if (digest(content) !== sha256)
    throw new FormatError(`checkpoint: "${name}" is not the file that was written; clear the store to start afresh`)
  try {
    return await engine.importCiphertext(content)
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause
    throw new FormatError(`checkpoint: "${name}": ${cause.message}; clear the store to start afresh`, { cause })
  }
}

/** What is done must have been possible, and everything that a later task reads must be there. */
function assertComplete(program: Program, { done, values }: CheckpointIndex): void {
  const { tasks, output } = program
  const brought = inputIds(program)
  const finished = new Set(done)
  const beyond = done.find((index) => index >= tasks.length)
  if (beyond !== undefined) throw new FormatError(`checkpoint: task ${beyond} of ${tasks.length} is done`)
  const written = new Set([...brought, ...done.flatMap((index) => tasks[index]!.writes)])
  const stranger = values.find(({ id }) => brought.has(id) || !written.has(id))
  if (stranger) throw new FormatError(`checkpoint: "${stranger.id}" is no result of a task done before`)
  if (new Set(values.map(({ id }) => id)).size !== values.length)
    throw new FormatError('checkpoint: the index lists a value twice; clear the store to start afresh')
  const there = new Set([...brought, ...values.map(({ id }) => id)])
  const wanted = tasks.flatMap(({ reads }, i) => (finished.has(i) ? [] : reads.flat()))
  for (const id of [...wanted, output.id])
    if (written.has(id) && !there.has(id))
      throw new FormatError(`checkpoint: the result "${id}" is missing; clear the store to start afresh`)
  for (const index of done)
    for (const id of tasks[index]!.reads.flat())
      if (!written.has(id)) throw new FormatError(`checkpoint: task ${index} is done, what it reads is not`)
}
