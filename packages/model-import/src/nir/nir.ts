/** NIR files, read and written. A file is an HDF5 tree: version, node/type = NIRGraph, node/nodes/<name>/..., node/edges [n, 2]. */
import { checkArgument, FormatError, InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import { aboutSource, type ModelSource, readBytes } from '../read-bytes.ts'
import { checkName, inferShapes, isNirGraph } from './graph.ts'
import { Hdf5Worker } from './hdf5/hdf5-worker.ts'
import { checkRead, type HdfArray, type HdfGroup, isHdfArray } from './hdf5/tree.ts'
import { checkNode, readNode, text, typeOf, writeNode } from './nodes.ts'
import type { NirGraph, NirNode } from './types.ts'

/** Options of readers of NIR files. */
export interface NirOptions {
  /** Largest file accepted; default 512 MiB. */
  readonly maxBytes?: number
  /** Most values in all arrays together, checked before they are unpacked; default 2^27. */
  readonly maxValues?: number
  /** Longest time for unpacking, in ms; default 60,000. Damaged files can keep the HDF5 library busy for ever. */
  readonly timeoutMs?: number
}

/** Version of NIR whose files these are. */
const VERSION = '1.0.6'
const WRITE_TIMEOUT_MS = 600_000

/**
 * Reads a NIR file.
 * @throws FormatError for a broken file; UnsupportedError naming the node and what to do, or the loop of a recurrent graph, or
 *   for more than `maxBytes`; FileSystemError when a path cannot be read; InvalidArgumentError for a pipe or a device
 * @example
 * ```ts no-run
 * const graph = await importNir('network.nir')
 * console.log(Object.entries(graph.nodes).map(([name, node]) => `${name}: ${node.type}`))
 * ```
 */
export async function importNir(source: ModelSource, options: NirOptions = {}): Promise<NirGraph> {
  const { maxBytes, maxValues = 2 ** 27, timeoutMs = 60_000 } = options
  const bytes = await readBytes(source, maxBytes)
  const worker = new Hdf5Worker(timeoutMs)
  try {
    return await aboutSource(source, async () => graphOf(await worker.read(bytes, maxValues)))
  } finally {
    await worker.close()
  }
}

/** The graph in a file's tree. @throws FormatError, UnsupportedError */
export function graphOf(root: HdfGroup): NirGraph {
  const { version } = root
  const node = checkRead(root.node, 'NIR: "node"')
  if (!node || isHdfArray(node)) throw new FormatError('NIR: expected a group "node": an HDF5 file, but not of NIR')
  const type = typeOf('node', node)
  if (type !== 'NIRGraph') throw new UnsupportedError(`NIR: the file holds one ${type}: write it as a NIRGraph`)
  const nodes = checkRead(node.nodes, 'NIR: "node/nodes"')
  if (!nodes || isHdfArray(nodes)) throw new FormatError('NIR: expected a group "node/nodes"')
  const graph: NirGraph = {
    version: version && isHdfArray(version) && version.kind === 'text' ? (version.data[0] ?? '').slice(0, 100) : '',
    // a node may have any name, __proto__ too
    nodes: Object.fromEntries(Object.entries(nodes).map(([name, group]) => [name, readNode(name, group)])),
    edges: readEdges(checkRead(node.edges, 'NIR: "node/edges"')),
  }
  inferShapes(graph)
  return graph
}

function readEdges(edges: HdfArray | HdfGroup | undefined): [string, string][] {
  // writers give a list of nothing some type of numbers
  if (edges && isHdfArray(edges) && edges.data.length === 0) return []
  if (!edges || !isHdfArray(edges) || edges.kind !== 'text' || edges.shape.length !== 2 || edges.shape[1] !== 2)
    throw new FormatError('NIR: expected texts [n, 2] in "node/edges"')
  const { data } = edges
  return Array.from({ length: edges.shape[0]! }, (_, i) => [data[2 * i]!, data[2 * i + 1]!])
}

/** Options of writers of NIR files. */
export interface NirWriteOptions {
  /** How numbers that are no integers are stored; default 'float32'. */
  readonly precision?: 'float32' | 'float64'
}

/**
 * The bytes of a NIR file. Fields that are not integers are stored in single precision unless told otherwise.
 * @throws InvalidArgumentError, FormatError or UnsupportedError when the graph is not a sound one without loops
 * @example
 * ```ts
 * import { encodeNir, importNir } from '@he-ml/model-import'
 * const vector = (...data: number[]) => ({ shape: [data.length], data })
 * const file = await encodeNir({
 *   version: '',
 *   nodes: {
 *     in: { type: 'Input', shape: [2] },
 *     lif: {
 *       type: 'LIF',
 *       tau: vector(0.01, 0.02),
 *       r: vector(1, 1),
 *       v_leak: vector(0, 0),
 *       v_threshold: vector(1, 1),
 *       v_reset: vector(0, 0),
 *     },
 *     out: { type: 'Output', shape: [2] },
 *   },
 *   edges: [
 *     ['in', 'lif'],
 *     ['lif', 'out'],
 *   ],
 * })
 * console.log((await importNir(file)).nodes['lif']?.type) // LIF
 * ```
 */
export async function encodeNir(graph: NirGraph, options: NirWriteOptions = {}): Promise<Uint8Array> {
  checkArgument('encodeNir', 'graph', graph, isNirGraph)
  const { precision = 'float32' } = options
  if (precision !== 'float32' && precision !== 'float64')
    throw new InvalidArgumentError(`NIR: expected precision 'float32' or 'float64', got '${precision}'`)
  const nodes: Record<string, HdfGroup> = Object.create(null)
  for (const [name, node] of Object.entries(graph.nodes)) {
    checkName(name)
    nodes[name] = writeNode(checkNode(name, withSingles(node, precision)))
  }
  inferShapes(graph)
  const edges: HdfArray = { shape: [graph.edges.length, 2], kind: 'text', data: graph.edges.flat() }
  const worker = new Hdf5Worker(WRITE_TIMEOUT_MS)
  try {
    return await worker.write(
      { version: text(VERSION), node: { type: text('NIRGraph'), nodes, edges } },
      precision === 'float64',
    )
  } finally {
    await worker.close()
  }
}

/** @throws InvalidArgumentError for a value that single precision cannot hold */
function withSingles(node: NirNode, precision: 'float32' | 'float64'): NirNode {
  if (precision === 'float64') return node
  for (const [key, field] of Object.entries(node) as [string, { readonly data?: readonly number[] }][]) {
    const wide = field?.data?.find?.((value) => Number.isFinite(value) && !Number.isFinite(Math.fround(value)))
    if (wide !== undefined)
      throw new InvalidArgumentError(`NIR: ${key} holds ${wide}, beyond single precision: use precision 'float64'`)
  }
  return node
}
