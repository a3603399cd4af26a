/**
 * A fingerprint of what a network computes. Layers keep their weights private, so each is probed: its results, all 53 bits of
 * every element, on inputs of its own that know no dead activations and no weights before it. Activations, which may use a
 * transcendental function that differs in the last bit between machines, count with nine digits. Layer names belong to it, as
 * the plan's ranges, levels and bootstraps name layers; the names of the model (its file) and of its input do not.
 */
import {
  createTensor,
  forwardAll,
  forwardApproximate,
  type GraphLayer,
  isCalibrated,
  type Model,
  type Shape,
  sizeOf,
  type Tensor,
} from '@he-ml/model'
import { digest } from './digest.ts'

/** SHA-256, hex. Takes about as long as one clear inference. */
export function modelDigest(model: Model): string {
  const index = new Map([[model.input.name, -1], ...model.nodes.map(({ name }, i) => [name, i] as const)])
  const parts: Uint8Array[] = [text(['he-ml/model', [...model.input.shape], index.get(model.output)!])]
  for (const [i, { name, layer, inputs }] of model.nodes.entries()) {
    const shape = model.shapes.get(name)!
    parts.push(text([layer.kind, name, inputs.map((input) => index.get(input)!), [...shape]]))
    const probes = inputs.map((input, j) => probe(model.shapes.get(input)!, 16 * i + j))
    for (const result of resultsOf(layer, probes)) parts.push(result)
  }
  return digest(...parts)
}

/** What a layer makes of its inputs: the polynomial too, where it brings one. */
function resultsOf(layer: GraphLayer, inputs: readonly Tensor[]): Uint8Array[] {
  const results = forwardAll(layer, inputs)
  if (!isCalibrated(layer)) return results.map(exact)
  const rounded = [...results, ...(layer.calibrated ? forwardApproximate(layer, inputs) : [])]
  return rounded.map(({ data }) => text(Array.from(data.subarray(0, 256), (v) => v.toPrecision(9))))
}

/** Little-endian doubles; both zeros are one. */
const exact = ({ data }: Tensor): Uint8Array => new Uint8Array(data.map((v) => v + 0).buffer)

const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

/** Numbers in [-1, 1) from a linear congruential generator, exact on every machine. */
function probe(shape: Shape, seed: number): Tensor {
  let state = Math.imul(seed + 1, 0x9e3779b9)
  const data = Float64Array.from({ length: sizeOf(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return state / 2 ** 31
  })
  return createTensor(shape, data)
}
