/**
 * A bound on memory from below that costs nothing: while a layer runs, its inputs, its results and every value that a later
 * layer still reads are alive, each at least at the level its reader needs. A batch of images in a deep network holds a
 * ciphertext for every element; such a plan is refused here, before it is priced and simulated operation by operation.
 */
import { type AnyParameters, type Level, PlanError } from '@he-ml/ckks-core'
import type { Network, NetworkNode } from '../program/network.ts'
import { gib } from './gib.ts'

/** Plans for larger machines are made for those who say that they have one. */
const UNASKED_BYTES = 96 * 2 ** 30
/** Ciphertexts over all layers. Simulating takes some 100 us for each (ResNet-20, image = slot: 430,000, a minute). */
const UNASKED_CIPHERTEXTS = 2 ** 18

/** What runs, in order. */
export type Running = Pick<Network, 'nodes' | 'inputs' | 'inputLayout' | 'output'>

/** Levels of layers, where they are known already. */
export type KnownLevels = ReadonlyMap<string, Level>

/** Bytes of ciphertexts that are certainly alive at once, and during which layer. */
export function leastMemory(
  running: Running,
  parameters: AnyParameters,
  levels: KnownLevels = new Map(),
): { readonly bytes: number; readonly layer: string } {
  const { nodes, inputs, inputLayout, output } = running
  const counts = new Map(inputs.map((input) => [input, inputLayout.ciphertexts]))
  const lastRead = new Map<string, number>([[output, nodes.length]])
  const wanted = new Map<string, Level>()
  for (const [i, node] of nodes.entries()) {
    const level = levels.get(node.name) ?? node.circuit.depth
    for (const [o, { ciphertexts }] of node.circuit.outputs.entries()) counts.set(node.outputs[o]!, ciphertexts)
    for (const read of node.inputs) {
      lastRead.set(read, Math.max(i, lastRead.get(read) ?? 0))
      wanted.set(read, Math.max(level, wanted.get(read) ?? 0))
    }
  }
  const residue = 2 * parameters.ringDegree * 8
  const bytesOf = (name: string) => counts.get(name)! * parameters.limbsAt(wanted.get(name) ?? 0) * residue
  const lastly = new Map<number, string[]>()
  for (const [name, i] of lastRead) lastly.set(i, [...(lastly.get(i) ?? []), name])
  let most = { bytes: 0, layer: '' }
  let alive = inputs.reduce((sum, input) => sum + bytesOf(input), 0)
  for (const [i, { name, outputs }] of nodes.entries()) {
    for (const result of outputs) alive += bytesOf(result)
    if (alive > most.bytes) most = { bytes: alive, layer: name }
    for (const done of lastly.get(i) ?? []) alive -= bytesOf(done)
  }
  return most
}

/** @throws PlanError ('memory') when the bound alone is above the limit, or above what is planned without being asked to */
export function assertMemoryPossible(
  running: Running,
  parameters: AnyParameters,
  limit: number | undefined,
  levels?: KnownLevels,
): void {
  const { bytes, layer } = leastMemory(running, parameters, levels)
  const sizes = running.nodes.map(ciphertextsOf)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  if (limit === undefined ? bytes <= UNASKED_BYTES && total <= UNASKED_CIPHERTEXTS : bytes <= limit) return
  throw new PlanError(
    'memory',
    `layer "${layer}" alone keeps at least ${gib(bytes)} of ciphertexts (up to ${Math.max(...sizes)} of them in one value, ${total} over all layers, in a ring of 2^${parameters.logN}); ${limit === undefined ? 'so large a plan is made only for a machine whose memory is given by the option memory' : `the limit is ${gib(limit)}`}; set the option packing to multiplexed, lower the option batch or the option activation.degree, or take a smaller network`,
  )
}

const ciphertextsOf = ({ circuit }: NetworkNode): number =>
  circuit.outputs.reduce((sum, { ciphertexts }) => sum + ciphertexts, 0)
