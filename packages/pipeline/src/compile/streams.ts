/**
 * Refreshing layers of a batch as they go best: together with the layer before them and the sums behind them, and with the same layer at the
 * next time step, some elements at a time (`lowerStream`), so that currents, membranes and spikes of a whole layer never live at once.
 */
import { lowerStream, type SlotLayout, type StreamPart, type StreamStage } from '@he-ml/packing'
import type { NetworkNode } from '../program/network.ts'
import { Neighbours } from './neighbours.ts'

/** A refreshing node and those that go with it. */
interface Stage {
  readonly before: NetworkNode | undefined
  readonly node: NetworkNode
  readonly sums: readonly (NetworkNode | undefined)[]
  /** See `StreamStage`. */
  readonly carried?: number
}

/**
 * The nodes, those joined that make a stream, in an order in which they may run.
 * @param layouts of all values
 * @param output must stay a value
 */
export function inStreams(
  nodes: readonly NetworkNode[],
  layouts: ReadonlyMap<string, SlotLayout>,
  output: string,
): NetworkNode[] {
  const graph = new Neighbours(nodes, output)
  let streams: readonly (readonly Stage[])[] = []
  const joinedBy = (all: readonly (readonly Stage[])[]) => all.map((stages) => streamOf(stages, layouts))
  for (const node of nodes.filter(({ circuit }) => circuit.refresh)) {
    const stage: Stage = {
      before: graph.onlyFor(node),
      node,
      sums: node.outputs.map((value) => graph.onlySumOf(value)),
    }
    const carried = graph.onlyCarried(node)
    const longer = carried && streams.find((stages) => stages.at(-1)!.node === carried.from)
    const tries = [
      // the same layer's next step, if nothing in between waits for the first and is waited for by the second
      ...(longer
        ? [streams.map((one) => (one === longer ? [...one, { ...stage, carried: carried.output }] : one))]
        : []),
      [...streams, [stage]],
    ]
    const found = tries.find((all) => {
      const joined = joinedBy(all)
      return joined.every((one) => one !== undefined) && inOrder(nodes, all, joined) !== undefined
    })
    streams = found ?? streams
  }
  return inOrder(nodes, streams, joinedBy(streams) as NetworkNode[])!
}

const nodesOf = (stages: readonly Stage[]): NetworkNode[] =>
  stages.flatMap(({ before, node, sums }) => [before, node, ...sums].filter((one) => one !== undefined))

function streamOf(stages: readonly Stage[], layouts: ReadonlyMap<string, SlotLayout>): NetworkNode | undefined {
  const parts = nodesOf(stages)
  const name = parts.map((one) => one.name).join(' + ')
  const partOf = ({ circuit, inputs }: NetworkNode): StreamPart => ({
    circuit,
    inputs: inputs.map((input) => layouts.get(input)!),
  })
  const circuit = lowerStream(
    name,
    stages.map(
      ({ before, node, sums, carried }): StreamStage => ({
        ...(before ? { before: partOf(before) } : {}),
        refresh: partOf(node),
        after: sums.map((sum) => sum && partOf(sum)),
        ...(carried === undefined ? {} : { carried }),
      }),
    ),
  )
  if (!circuit) return undefined
  const [{ node: first }] = stages as [Stage]
  return {
    name,
    kind: first.kind,
    inputs: stages.flatMap(({ before, node, carried }) => [
      ...(before ?? node).inputs.slice(0, 1),
      ...node.inputs.slice(carried === undefined ? 1 : 2),
    ]),
    outputs: stages.flatMap(({ node, sums }, k) =>
      node.outputs.map((value, i) => sums[i]?.outputs[0] ?? value).filter((_, i) => i !== stages[k + 1]?.carried),
    ),
    circuit,
    tiles: first.tiles,
    parts,
  }
}

/** Streams in place of their nodes, each node as soon as it can run; undefined where one waits for itself. */
function inOrder(
  nodes: readonly NetworkNode[],
  streams: readonly (readonly Stage[])[],
  joined: readonly (NetworkNode | undefined)[],
): NetworkNode[] | undefined {
  const gone = new Set(streams.flatMap(nodesOf))
  const made = new Set(nodes.flatMap(({ outputs }) => outputs))
  const last = new Map(streams.map((stages, k) => [nodesOf(stages)[0]!, joined[k]!]))
  const waiting = nodes.flatMap((node) => last.get(node) ?? (gone.has(node) ? [] : [node]))
  const ordered: NetworkNode[] = []
  while (waiting.length > 0) {
    const next = waiting.findIndex(({ inputs }) => inputs.every((input) => !made.has(input)))
    if (next < 0) return undefined
    const [node] = waiting.splice(next, 1) as [NetworkNode]
    ordered.push(node)
    for (const value of node.outputs) made.delete(value)
  }
  return ordered
}
