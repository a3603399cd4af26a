/** Who makes and who reads what, among the nodes of a network. */
import type { NetworkNode } from '../program/network.ts'

export class Neighbours {
  readonly #readers = new Map<string, NetworkNode[]>()
  readonly #makers: ReadonlyMap<string, NetworkNode>
  readonly #output: string

  /** @param output read by the caller, too */
  constructor(nodes: readonly NetworkNode[], output: string) {
    this.#output = output
    this.#makers = new Map(nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)))
    for (const node of nodes)
      for (const input of node.inputs) this.#readers.set(input, [...(this.#readers.get(input) ?? []), node])
  }

  /** The layer of one input that makes a node's first input for it alone. */
  onlyFor(node: NetworkNode): NetworkNode | undefined {
    const [value] = node.inputs as [string]
    const maker = this.#makers.get(value)
    return maker && isPlain(maker) && this.#onlyReader(value) === node ? maker : undefined
  }

  /** The layer that alone reads a value, and takes no level. */
  onlySumOf(value: string): NetworkNode | undefined {
    const reader = this.#onlyReader(value)
    return reader?.circuit.reads && isPlain(reader) && reader.circuit.depth === 0 ? reader : undefined
  }

  /** The refreshing node, and which of its results, that is a node's second input and read by it alone. */
  onlyCarried(node: NetworkNode): { readonly from: NetworkNode; readonly output: number } | undefined {
    const [, value] = node.inputs
    const from = value === undefined ? undefined : this.#makers.get(value)
    if (!from?.circuit.refresh || this.#onlyReader(value!) !== node) return undefined
    return { from, output: from.outputs.indexOf(value!) }
  }

  #onlyReader(value: string): NetworkNode | undefined {
    const readers = value === this.#output ? [] : (this.#readers.get(value) ?? [])
    return readers.length === 1 ? readers[0] : undefined
  }
}

const isPlain = ({ inputs, outputs, circuit }: NetworkNode): boolean =>
  inputs.length === 1 && outputs.length === 1 && !circuit.refresh
