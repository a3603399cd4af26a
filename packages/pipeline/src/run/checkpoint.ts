/**
 * Resuming: after each layer the living values are exported to a store; a run started again with the same plan and the same
 * inputs goes on from the last complete one. A half-written checkpoint is never used: its index is written last.
 */
import { type Ciphertext, type Engine, FormatError } from '@he-ml/ckks-core'
import { PackedTensor } from '@he-ml/packing'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { digest } from '../plan/digest.ts'

/** Where checkpoints go: a folder, an object store. Writes must be atomic per name. */
export interface CheckpointStore {
  put(name: string, bytes: Uint8Array): Promise<void>
  get(name: string): Promise<Uint8Array | undefined>
  /** Removes everything. */
  clear(): Promise<void>
}

interface Index {
  readonly plan: string
  readonly inputs: string
  readonly next: number
  readonly values: readonly { readonly name: string; readonly files: readonly string[] }[]
}

async function inputsDigest(engine: Engine, inputs: readonly Ciphertext[]): Promise<string> {
  return digest(...(await Promise.all(inputs.map((c) => engine.exportCiphertext(c)))))
}

export async function saveCheckpoint(
  store: CheckpointStore,
  bound: BoundPlan,
  engine: Engine,
  inputs: readonly Ciphertext[],
  next: number,
  values: ReadonlyMap<string, PackedTensor>,
  inputName: string,
): Promise<void> {
  const kept: { name: string; files: string[] }[] = []
  for (const [name, tensor] of values) {
    if (name === inputName) continue
    const files: string[] = []
    for (const [i, ciphertext] of tensor.ciphertexts.entries()) {
      const file = `${next}-${kept.length}-${i}.ct`
      await store.put(file, await engine.exportCiphertext(ciphertext))
      files.push(file)
    }
    kept.push({ name, files })
  }
  const index: Index = { plan: bound.plan.id, inputs: await inputsDigest(engine, inputs), next, values: kept }
  await store.put('index.json', new TextEncoder().encode(JSON.stringify(index)))
}

/** The values to go on with, or undefined when there is no checkpoint for this plan and these inputs. */
export async function loadCheckpoint(
  store: CheckpointStore,
  bound: BoundPlan,
  engine: Engine,
  inputs: readonly Ciphertext[],
): Promise<{ next: number; values: Map<string, PackedTensor> } | undefined> {
  const bytes = await store.get('index.json')
  if (bytes === undefined) return undefined
  const index = JSON.parse(new TextDecoder().decode(bytes)) as Index
  if (index.plan !== bound.plan.id || index.inputs !== (await inputsDigest(engine, inputs))) return undefined
  const values = new Map<string, PackedTensor>()
  for (const { name, files } of index.values) {
    const node = bound.schedule.nodes.find((n) => n.name === name)
    if (!node) throw new FormatError(`checkpoint: the plan has no layer "${name}"`)
    const ciphertexts: Ciphertext[] = []
    for (const file of files) {
      const content = await store.get(file)
      if (content === undefined)
        throw new FormatError(`checkpoint: "${file}" is missing; delete the checkpoint to start afresh`)
      ciphertexts.push(await engine.importCiphertext(content))
    }
    values.set(name, new PackedTensor(node.lowered.output, ciphertexts))
  }
  return { next: index.next, values }
}
