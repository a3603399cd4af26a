/**
 * A batch of more sub-batches than one pass through a layer takes: tiles. Two groups of ciphertexts are a tile, since two travel
 * through linear layers as one; one group, where memory is short. Where a stride leaves gaps, groups merge into one, and tiles with them: the deeper a layer, the
 * fewer tiles, until one is left (docs/notes/channel-packing.md).
 */
import { UnsupportedError } from '@he-ml/ckks-core'
import type { Model } from '@he-ml/model'
import {
  type ChannelLayout,
  ciphertextGroups,
  type LoweredLayer,
  lowerMerge,
  mergeable,
  type SlotLayout,
} from '@he-ml/packing'
import type { NetworkNode } from '../program/network.ts'
import { MERGE } from '../program/task.ts'

/** Groups of ciphertexts in a tile at most: two travel as one where there is memory for both. */
export type TileGroups = 1 | 2

/** Nodes of a network as they are lowered, and what is between them. */
export class Tiling {
  /** Of values, a tile each. */
  readonly layouts = new Map<string, SlotLayout>()
  /** What merges read. */
  readonly joined = new Map<string, SlotLayout>()
  readonly inputTiles: number
  readonly #nodes: NetworkNode[] = []
  readonly #tiles = new Map<string, number>()
  readonly #names: Set<string>
  readonly #together: TileGroups

  constructor(model: Model, input: SlotLayout, together: TileGroups) {
    this.#together = together
    const isTiled = model.inputForm.frames === undefined && input.kind === 'channel'
    const tile = isTiled ? tileOf(input, together) : input
    this.inputTiles = input.ciphertexts / tile.ciphertexts
    this.#names = new Set([...model.inputs, ...model.nodes.flatMap(({ name, values }) => [name, ...values])])
    for (const name of model.inputs) this.#put(name, tile, this.inputTiles)
  }

  /** In the order in which they run; those with more tiles come first. */
  get nodes(): readonly NetworkNode[] {
    return this.#nodes.toSorted((a, b) => b.tiles - a.tiles)
  }

  /**
   * Groups of ciphertexts of the whole batch that a layer reads; undefined for other layouts.
   * @throws UnsupportedError when its inputs are cut into different tiles
   */
  groupsOf(name: string, inputs: readonly string[]): number | undefined {
    const counts = new Set(inputs.map((input) => this.#tiles.get(input)!))
    if (counts.size > 1)
      throw new UnsupportedError(
        `layer "${name}": its inputs have sub-batches in different places, since only one of them was merged: use a smaller batch`,
      )
    const layout = this.layouts.get(inputs[0]!)!
    return layout.kind === 'channel' ? ciphertextGroups(layout) * [...counts][0]! : undefined
  }

  /** A layer; behind it a merge where that makes fewer ciphertexts of its results. */
  add(node: Omit<NetworkNode, 'tiles'>): void {
    const tiles = this.#tiles.get(node.inputs[0]!)!
    const [value] = node.outputs as [string]
    const [layout] = node.circuit.outputs as [SlotLayout]
    const groups = layout.kind === 'channel' ? tiles * ciphertextGroups(layout) : 1
    const together = layout.kind === 'channel' && groups > 1 ? mergeable(layout, groups) : 1
    if (node.outputs.length > 1 || layout.kind !== 'channel' || together === 1) {
      this.#nodes.push({ ...node, tiles })
      for (const [i, output] of node.circuit.outputs.entries()) this.#put(node.outputs[i]!, output, tiles)
      return
    }
    const apart = this.#free(`${value}, apart`)
    this.#nodes.push({ ...node, outputs: [apart], tiles })
    this.#put(apart, layout, tiles)
    this.#merge(apart, value, together, this.#together)
  }

  /** Brings the tiles of a value together into one tensor. */
  gather(value: string): void {
    if (this.#tiles.get(value) === 1) return
    const at = this.#nodes.findIndex(({ outputs }) => outputs.includes(value))
    const node = this.#nodes[at]!
    if (node.merges !== undefined) {
      // it brings all of them together at once
      const [before] = node.inputs as [string]
      const [from, to] = [this.layouts.get(before), this.layouts.get(value)] as [ChannelLayout, ChannelLayout]
      this.#nodes.splice(at, 1)
      this.#merge(before, value, to.subBatchOffsets.length / from.subBatchOffsets.length, Number.POSITIVE_INFINITY)
      return
    }
    const apart = this.#free(`${value}, apart`)
    this.#nodes[at] = { ...node, outputs: [apart] }
    this.#put(apart, this.layouts.get(value)!, this.#tiles.get(value)!)
    this.#merge(apart, value, 1, Number.POSITIVE_INFINITY)
  }

  /** @param most groups in the result's tiles */
  #merge(apart: string, value: string, together: number, most: number): void {
    const layout = this.layouts.get(apart) as ChannelLayout
    const tiles = this.#tiles.get(apart)!
    const groups = (tiles * ciphertextGroups(layout)) / together
    const left = groups / Math.min(most, groups)
    const merges = tiles / left
    const joined: ChannelLayout = {
      ...layout,
      subBatches: layout.subBatches * merges,
      ciphertexts: layout.ciphertexts * merges,
    }
    this.joined.set(apart, joined)
    const circuit: LoweredLayer = lowerMerge(this.#free(`${MERGE} ${value}`), joined, together)
    this.#nodes.push({
      name: circuit.name,
      kind: MERGE,
      inputs: [apart],
      outputs: [value],
      circuit,
      tiles: left,
      merges,
    })
    this.#put(value, circuit.outputs[0]!, left)
  }

  /** A name that no node or value of the model has, and none of the others here. */
  #free(name: string): string {
    let free = name
    while (this.#names.has(free)) free = `${free}, again`
    this.#names.add(free)
    return free
  }

  #put(name: string, layout: SlotLayout, tiles: number): void {
    this.layouts.set(name, layout)
    this.#tiles.set(name, tiles)
  }
}

/** The first groups of a batch. */
function tileOf(layout: ChannelLayout, together: TileGroups): ChannelLayout {
  const groups = ciphertextGroups(layout)
  const share = groups / Math.min(together, groups)
  return { ...layout, subBatches: layout.subBatches / share, ciphertexts: layout.ciphertexts / share }
}
