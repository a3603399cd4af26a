/**
 * Values that say nothing of the input. A result without weights is computed all the same (its layer gives it one unit of the
 * scale, see nn-layers) and is reported. One whose inputs cancel, x - x, would leave a ciphertext that anyone can read and
 * that the client refuses after the whole run: it is refused here, by name. Found by a derivative along a random direction, which
 * keeps its relative precision however much a deep network contracts; activations are replaced by a function that neither
 * saturates, nor dies, nor is odd or even, so that only the graph and the weights count.
 */
import { PlanError } from '@he-ml/ckks-core'
import {
  createTensor,
  forwardAll,
  framesOf,
  type GraphLayer,
  isCalibrated,
  isMultiOutput,
  type Model,
  type ModelNode,
  outputShapesOf,
  type Shape,
  sameShape,
  sizeOf,
  type Tensor,
} from '@he-ml/model'
import { layoutPositions, type SlotLayout } from '@he-ml/packing'
import type { Network } from '../program/network.ts'

/** What differs by less than this share of the largest value is the same: rounding of doubles leaves 1e-16 a term. */
const SAME = 1e-10

/**
 * Indices of the output's elements that do not depend on the input.
 * @param model unrolled
 * @throws PlanError ('constant') naming the layer in which a whole ciphertext cancels
 */
export function findConstants(model: Model, { nodes }: Pick<Network, 'nodes'>): number[] {
  const layouts = new Map(
    nodes.flatMap(({ outputs, circuit }) => outputs.map((value, i) => [value, circuit.outputs[i]!] as const)),
  )
  const [point, direction] = [probe(model.inputShape, 1), probe(model.inputShape, 2)]
  const along = model.inputForm.frames === undefined ? [direction] : framesOf(direction)
  const tangents = new Map<string, Tensor>(model.inputs.map((input, i) => [input, along[i]!]))
  const varies = new Map(model.inputs.map((input, i) => [input, new Uint8Array(along[i]!.data.length).fill(1)]))
  model.evaluate(point, (node, inputs) => {
    const { layer, inputs: names, values } = node
    const results = forward(layer, inputs)
    const along = names.map((input) => tangents.get(input)!)
    const least = SAME * largest(along)
    for (const [i, tangent] of derivative(layer, inputs, along).entries()) {
      const value = values[i]!
      const mask = Uint8Array.from(tangent.data, (v) => (Math.abs(v) > least ? 1 : 0))
      const layout = layouts.get(value)
      const seen = { inputs, varies: names.map((input) => varies.get(input)!), results, at: i, mask }
      if (layout && !isCalibrated(layer)) assertNothingCancels(node, { ...seen, layout })
      tangents.set(value, tangent)
      varies.set(value, mask)
    }
    return results
  })
  return [...varies.get(model.output)!.entries()].filter(([, v]) => v === 0).map(([i]) => i)
}

/**
 * A layer's derivative along a direction: half the difference between both sides, at a distance as large as the values. Layers
 * are affine or quadratic, for which that is exact but for rounding; activations have a derivative of their own.
 */
function derivative(layer: GraphLayer, inputs: readonly Tensor[], along: readonly Tensor[]): readonly Tensor[] {
  if (isByElement(layer, inputs))
    return mixed(
      layer,
      along.map(({ shape, data: t }, j) =>
        createTensor(
          shape,
          t.map((d, i) => (1 - Math.sin(inputs[j]!.data[i]!) / 3) * d),
        ),
      ),
    )
  const length = largest(along)
  if (length === 0) return forwardAll(layer, inputs).map(zeros)
  const stretch = (largest(inputs) || 1) / length
  const side = (sign: number): readonly Tensor[] =>
    forwardAll(
      layer,
      inputs.map(({ shape, data }, i) =>
        createTensor(
          shape,
          data.map((x, j) => x + sign * stretch * along[i]!.data[j]!),
        ),
      ),
    )
  const [up, down] = [side(1), side(-1)]
  return up.map(({ shape, data }, k) =>
    createTensor(
      shape,
      data.map((v, i) => (v - down[k]!.data[i]!) / (2 * stretch)),
    ),
  )
}

interface Seen {
  readonly inputs: readonly Tensor[]
  /** Which elements of each input depend on the model's input. */
  readonly varies: readonly Uint8Array[]
  readonly results: readonly Tensor[]
  /** Which of the results is looked at. */
  readonly at: number
  readonly mask: Uint8Array
  readonly layout: SlotLayout
}

/** A ciphertext that does not vary although it reads values that do. */
function assertNothingCancels({ name, layer }: ModelNode, seen: Seen): void {
  const { inputs, varies, results, at, mask, layout } = seen
  const result = results[at]!
  const ciphertextOf = [...layoutPositions(layout)].map((place) => Math.floor(place / layout.slots))
  const alive = new Set(ciphertextOf.filter((_, element) => mask[element] !== 0))
  if (alive.size === layout.ciphertexts) return
  const changed = inputs.map(({ shape, data }, i) => {
    const noise = probe(shape, 3 + i).data
    return createTensor(
      shape,
      data.map((v, element) => (varies[i]![element] ? v + (1 + Math.abs(v)) * noise[element]! : v)),
    )
  })
  const reads = differences(result, forward(layer, changed)[at]!, 1000 * SAME * largest([...changed, result]))
  const lost = ciphertextOf.findIndex((ciphertext, element) => !alive.has(ciphertext) && reads[element] !== 0)
  if (lost < 0) return
  throw new PlanError(
    'constant',
    `layer "${name}": what it reads cancels out (as in x - x): element ${lost} of its result, and ${layout.kind === 'batch' ? 'its ciphertext' : `all of ciphertext ${ciphertextOf[lost]}`}, is ${result.data[lost]!.toPrecision(3)} for every input, so nothing is left to encrypt: take it out of the network and put the constant there`,
  )
}

/** The layer with its activation replaced: x + cos(x) / 3 grows with x and has both an odd and an even part. */
function forward(layer: GraphLayer, inputs: readonly Tensor[]): readonly Tensor[] {
  if (!isByElement(layer, inputs)) return forwardAll(layer, inputs)
  return mixed(
    layer,
    inputs.map(({ shape, data }) =>
      createTensor(
        shape,
        data.map((x) => x + Math.cos(x) / 3),
      ),
    ),
  )
}

/** An activation or a neuron: calibrated, and with results of its input's shape. Others, as maxima of pairs, are taken as they are. */
function isByElement(layer: GraphLayer, inputs: readonly Tensor[]): boolean {
  const shapes = inputs.map(({ shape }) => shape)
  return isCalibrated(layer) && outputShapesOf(layer, shapes).every((shape) => sameShape(shape, shapes[0]!))
}

/** What a layer that works element by element makes of its inputs, were it linear: sums whose weights cancel nothing. */
function mixed(layer: GraphLayer, inputs: readonly Tensor[]): readonly Tensor[] {
  const [{ shape, data: first }, ...others] = inputs as [Tensor, ...Tensor[]]
  return Array.from({ length: isMultiOutput(layer) ? layer.outputs.length : 1 }, (_, k) =>
    createTensor(
      shape,
      first.map((x, i) => others.reduce((sum, { data }, j) => sum + (0.5 + (k + j) / 7) * data[i]!, x)),
    ),
  )
}

const zeros = ({ shape, data }: Tensor): Tensor => createTensor(shape, new Float64Array(data.length))

/** 1 where two tensors differ by more than `tolerance`. */
const differences = (a: Tensor, b: Tensor, tolerance: number): Uint8Array =>
  Uint8Array.from(a.data, (v, i) => (Math.abs(v - b.data[i]!) > tolerance ? 1 : 0))

const largest = (tensors: readonly Tensor[]): number =>
  tensors.reduce((most, { data }) => data.reduce((m, v) => Math.max(m, Math.abs(v)), most), 0)

/** Numbers in [-1, 1] from a linear congruential generator. */
function probe(shape: Shape, seed: number): Tensor {
  let state = Math.imul(seed, 0x9e3779b9)
  const data = Float64Array.from({ length: sizeOf(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return state / 2 ** 31
  })
  return createTensor(shape, data)
}
