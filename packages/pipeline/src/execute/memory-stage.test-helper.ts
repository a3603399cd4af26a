/** A small program whose bytes are easy to add up. */
import { BaseKeyStore, type CiphertextStore, type KeyNeed, type StoredKey } from '@he-ml/ckks-core'
import { createBatchLayout, type LoweredLayer } from '@he-ml/packing'
import type { Program } from '../program/program.ts'
import type { LayerTask } from '../program/task.ts'
import type { Value } from '../program/value.ts'
import type { MemoryFigures } from './memory-figures.ts'

const layout = createBatchLayout([1], { slots: 8 })
const value = (id: string): Value => ({ id, tensor: id, layout, part: { first: 0, count: 1 }, level: 1 })
const circuit = { name: 'c', outputs: [layout], depth: 0 } as unknown as LoweredLayer
export const turn = (steps: number): KeyNeed => ({ kind: 'rotation', steps, level: 1 })

const task = (id: string, reads: string[], keys: KeyNeed[]): LayerTask => ({
  ...{ id, kind: 'layer', layer: id, circuit, level: 1, weights: [`w${id}`], keys },
  ...{ reads: reads.map((r) => [r]), writes: [id] },
})

/** x -> a -> b, a and b -> c; b turns by 1 and 2, c by 3. */
export const program: Program = {
  tasks: [task('a', ['x'], []), task('b', ['a'], [turn(1), turn(2)]), task('c', ['a', 'b'], [turn(3)])],
  values: new Map(['x', 'a', 'b', 'c'].map((id) => [id, value(id)])),
  weights: new Map(),
  circuits: [],
  functionals: [],
  input: { values: [value('x')], layout, whole: layout, level: 1 },
  output: value('c'),
}

/** Weights 100, work 10, values 1000, keys 10,000 each; inputs 5000, and 50,000 in any case. */
export const figures: MemoryFigures = {
  weightBytes: () => 100,
  workBytes: () => 10,
  valueBytes: () => 1000,
  fixed: 50_000 + 5000,
  inputBytes: 5000,
}

class Keys extends BaseKeyStore {
  readonly keyId = undefined
  protected async load(): Promise<void> {}
  protected unload(_: StoredKey): void {}
}
export const keyStore = (): Keys => new Keys([1, 2, 3].map((steps) => ({ need: turn(steps), bytes: 10_000 })))

/** Somewhere to put ciphertexts; nobody does. */
export const spill = {} as CiphertextStore
