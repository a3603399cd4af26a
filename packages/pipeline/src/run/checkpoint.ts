/**
 * Resuming: after each layer the living values are exported to a store; a run started again with the same plan and the same
 * inputs goes on from the last complete one. A half-written checkpoint is never used: its index is written last.
 */
import { type Ciphertext, type Engine, FormatError } from '@he-ml/ckks-core'
import { PackedTensor, type SlotLayout } from '@he-ml/packing'
import { z } from 'zod'
import { isRefresh } from '../compile/schedule.ts'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { digest } from '../plan/digest.ts'

/** Where checkpoints go: a folder, an object store. Writes must be atomic per name. */
export interface CheckpointStore {
  put(name: string, bytes: Uint8Array): Promise<void>
  get(name: string): Promise<Uint8Array | undefined>
  /** Removes everything. */
  clear(): Promise<void>
}

const indexSchema = z.strictObject({
  plan: z.string(),
  inputs: z.string(),
  /** Layer or bootstrap to go on with. */
  next: z.number().int().positive(),
  values: z.array(z.strictObject({ name: z.string(), files: z.array(z.string()).min(1) })),
})
type Index = z.infer<typeof indexSchema>

function parseIndex(bytes: Uint8Array): Index {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new FormatError(`checkpoint: index.json: ${(cause as Error).message}; clear the store to start afresh`, {
      cause,
    })
  }
  const result = indexSchema.safeParse(json)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]!
  throw new FormatError(
    `checkpoint: index.json, field "${path.join('.')}": ${message}; clear the store to start afresh`,
  )
}

/** Names the inputs of a run, whatever their handles. */
export async function inputsDigest(engine: Engine, inputs: readonly Ciphertext[]): Promise<string> {
  return digest(...(await Promise.all(inputs.map((c) => engine.exportCiphertext(c)))))
}

export async function saveCheckpoint(
  store: CheckpointStore,
  bound: BoundPlan,
  engine: Engine,
  inputs: string,
  next: number,
  values: Iterable<readonly [name: string, value: PackedTensor]>,
): Promise<void> {
  const kept: { name: string; files: string[] }[] = []
  for (const [name, tensor] of values) {
    const files: string[] = []
    for (const [i, ciphertext] of tensor.ciphertexts.entries()) {
      const file = `${next}-${kept.length}-${i}.ct`
      await store.put(file, await engine.exportCiphertext(ciphertext))
      files.push(file)
    }
    kept.push({ name, files })
  }
  const index: Index = { plan: bound.plan.id, inputs, next, values: kept }
  await store.put('index.json', new TextEncoder().encode(JSON.stringify(index)))
}

/** The values to go on with, or undefined when there is no checkpoint for this plan and these inputs. */
export async function loadCheckpoint(
  store: CheckpointStore,
  bound: BoundPlan,
  engine: Engine,
  inputs: string,
): Promise<{ next: number; values: Map<string, PackedTensor> } | undefined> {
  const bytes = await store.get('index.json')
  if (bytes === undefined) return undefined
  const index = parseIndex(bytes)
  if (index.plan !== bound.plan.id || index.inputs !== inputs) return undefined
  const { steps } = bound.schedule
  if (index.next >= steps.length)
    throw new FormatError(`checkpoint: it goes on with step ${index.next} of ${steps.length}`)
  const values = new Map<string, PackedTensor>()
  try {
    for (const { name, files } of index.values) {
      const done = steps.slice(0, index.next).find((step) => step.name === name)
      if (!done || isRefresh(done)) throw new FormatError(`checkpoint: "${name}" is no layer done before`)
      const [output] = done.lowered.outputs as [SlotLayout]
      if (files.length !== output.ciphertexts)
        throw new FormatError(
          `checkpoint: "${name}" has ${output.ciphertexts} ciphertexts, the index lists ${files.length}`,
        )
      const ciphertexts: Ciphertext[] = []
      values.set(name, new PackedTensor(output, ciphertexts))
      for (const file of files) ciphertexts.push(await load(store, engine, file))
    }
    assertComplete(bound, index.next, values)
  } catch (error) {
    for (const value of values.values()) value.dispose()
    throw error
  }
  return { next: index.next, values }
}

async function load(store: CheckpointStore, engine: Engine, file: string): Promise<Ciphertext> {
  const content = await store.get(file)
  if (content === undefined) throw new FormatError(`checkpoint: "${file}" is missing; clear the store to start afresh`)
  try {
    return await engine.importCiphertext(content)
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause
    throw new FormatError(`checkpoint: "${file}": ${cause.message}; clear the store to start afresh`, { cause })
  }
}

/** Every value that a later step reads must be there. */
function assertComplete(bound: BoundPlan, next: number, values: ReadonlyMap<string, PackedTensor>): void {
  const later = bound.schedule.steps.slice(next)
  const made = new Set(later.map((step) => step.name))
  for (const step of later)
    for (const name of isRefresh(step) ? step.values : step.inputs)
      if (name !== bound.schedule.input && !made.has(name) && !values.has(name))
        throw new FormatError(`checkpoint: the result of "${name}" is missing; clear the store to start afresh`)
}
