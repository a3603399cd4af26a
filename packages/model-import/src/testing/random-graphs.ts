/**
 * Random ONNX graphs of the operators that the importer takes, in the spelling of a random operator set. A seed gives one
 * graph. Sizes are known all the way, so every graph is valid; what the importer refuses is then refused, not broken.
 */
import { buildOnnx, type NodeSpec, type OnnxSpec, random, type TensorSpec } from './build-onnx.ts'
import { STEPS } from './random-steps.ts'

export interface RandomGraph {
  readonly bytes: Uint8Array
  /** Without the batch. */
  readonly inputShape: readonly number[]
  /** The file leaves the batch open. */
  readonly openBatch: boolean
  readonly opset: number
  /** For messages. */
  readonly text: string
}

export interface Value {
  readonly name: string
  /** With the batch of 1. */
  readonly dims: readonly number[]
}

const OPSETS = [7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 22, 24, 26]

/** A graph while it grows. */
export class Sketch {
  readonly nodes: NodeSpec[] = []
  readonly initializers: Record<string, TensorSpec> = {}
  /** Every value so far, for residual branches. */
  readonly values: Value[] = []
  readonly opset: number
  readonly openBatch: boolean
  readonly #next: () => number

  constructor(seed: number) {
    this.#next = random(seed * 2654435761 + 17)
    for (let i = 0; i < 8; i++) this.#next()
    this.opset = this.pick(OPSETS)
    this.openBatch = this.chance(0.5)
  }
  /** An integer in [low, high]. */
  int(low: number, high: number): number {
    return low + Math.floor(((this.#next() + 1) / 2) * (high - low + 1))
  }
  chance(p: number): boolean {
    return (this.#next() + 1) / 2 < p
  }
  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)]!
  }
  numbers(dims: readonly number[], scale = 1): TensorSpec {
    const size = dims.reduce((a, b) => a * b, 1)
    return { dims, data: Array.from({ length: size }, () => scale * this.#next()) }
  }
  constant(tensor: TensorSpec): string {
    const name = `c${Object.keys(this.initializers).length}`
    this.initializers[name] = tensor
    return name
  }
  ints(...data: (number | bigint)[]): string {
    return this.constant({ dims: [data.length], data, type: 7 })
  }
  node(op: string, inputs: readonly string[], attributes?: NodeSpec['attributes']): string {
    const output = `v${this.nodes.length}`
    this.nodes.push({ op, inputs, output, ...(attributes ? { attributes } : {}) })
    return output
  }
  value(name: string, dims: readonly number[]): Value {
    const value = { name, dims }
    this.values.push(value)
    return value
  }
}

/** @param length steps of the network, each one to six nodes */
export function randomGraph(seed: number, length = 5): RandomGraph {
  const sketch = new Sketch(seed)
  const inputShape = sketch.chance(0.8) ? [sketch.int(1, 4), sketch.int(3, 7), sketch.int(3, 7)] : [sketch.int(2, 9)]
  let value = sketch.value('x', [1, ...inputShape])
  for (let i = 0; i < length; ) {
    const step = sketch.pick(STEPS)
    const next = step(sketch, value)
    if (!next) continue
    value = next
    i++
  }
  // the output must depend on a layer, and a name of its own keeps it apart from the input
  const output = sketch.node('Neg', [value.name])
  const spec: OnnxSpec = {
    input: [sketch.openBatch ? 'n' : 1, ...inputShape],
    nodes: sketch.nodes,
    initializers: sketch.initializers,
    output,
    opset: sketch.opset,
  }
  const text = sketch.nodes.map((n) => `${n.op}(${n.inputs})${JSON.stringify(n.attributes ?? '')}`).join(' ; ')
  const constants = Object.entries(sketch.initializers).filter(([, t]) => t.type === 7)
  return {
    bytes: buildOnnx(spec),
    inputShape,
    openBatch: sketch.openBatch,
    opset: sketch.opset,
    text: `set ${sketch.opset}, [${spec.input}]: ${text} where ${constants.map(([n, t]) => `${n}=[${Array.from(t.data)}]`).join(' ')}`,
  }
}
