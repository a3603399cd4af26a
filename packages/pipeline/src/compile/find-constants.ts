/**
 * Values that say nothing of the input. A result without weights is computed all the same (its layer gives it one unit of the
 * scale, see nn-layers) and is reported. One whose inputs cancel, x - x, would leave a ciphertext that anyone can read and
 * that the client refuses after the whole run: it is refused here, by name. Found by a derivative along a random direction, which
 * keeps its relative precision however much a deep network contracts; activations are replaced by a function that neither
 * saturates, nor dies, nor is odd or even, so that only the graph and the weights count.
 */
import { PlanError } from '@he-ml/ckks-core'
import { createTensor, isCalibrated, type Layer, type Model, type Shape, sizeOf, type Tensor } from '@he-ml/model'
import { layoutPositions, type SlotLayout } from '@he-ml/packing'
import type { Network } from '../program/network.ts'

/** What differs by less than this share of the largest value is the same: rounding of doubles leaves 1e-16 a term. */
const SAME = 1e-10

/**
 * Indices of the output's elements that do not depend on the input.
 * @throws PlanError ('constant') naming the layer in which a whole ciphertext cancels
 */
export function findConstants(model: Model, { nodes }: Pick<Network, 'nodes'>): number[] {
  const layouts = new Map(nodes.map(({ name, circuit }) => [name, circuit.outputs[0]!]))
  const [point, direction] = [probe(model.input.shape, 1), probe(model.input.shape, 2)]
  const varies = new Map<string, Uint8Array>([[model.input.name, new Uint8Array(point.data.length).fill(1)]])
  const tangents = new Map<string, Tensor>([[model.input.name, direction]])
  model.evaluate(point, ({ name, layer, inputs: names }, inputs) => {
    const result = forward(layer, inputs)
    const along = names.map((input) => tangents.get(input)!)
    const tangent = derivative(layer, inputs, along)
    const least = SAME * largest(along)
    const mask = Uint8Array.from(tangent.data, (v) => (Math.abs(v) > least ? 1 : 0))
    const layout = layouts.get(name)
    if (layout && !isCalibrated(layer))
      assertNothingCancels(name, layer, {
        inputs,
        varies: names.map((input) => varies.get(input)!),
        result,
        mask,
        layout,
      })
    tangents.set(name, tangent)
    varies.set(name, mask)
    return [result]
  })
  return [...varies.get(model.output)!.entries()].filter(([, v]) => v === 0).map(([i]) => i)
}

/**
 * A layer's derivative along a direction: half the difference between both sides, at a distance as large as the values. Layers
 * are affine or quadratic, for which that is exact but for rounding; activations have a derivative of their own.
 */
function derivative(layer: Layer, inputs: readonly Tensor[], along: readonly Tensor[]): Tensor {
  if (isCalibrated(layer)) {
    const [{ data }] = inputs as [Tensor]
    const [{ shape, data: t }] = along as [Tensor]
    return createTensor(
      shape,
      data.map((x, i) => (1 - Math.sin(x) / 3) * t[i]!),
    )
  }
  const length = largest(along)
  if (length === 0) return zeros(layer.forward(inputs))
  const stretch = (largest(inputs) || 1) / length
  const side = (sign: number): Tensor =>
    layer.forward(
      inputs.map(({ shape, data }, i) =>
        createTensor(
          shape,
          data.map((x, j) => x + sign * stretch * along[i]!.data[j]!),
        ),
      ),
    )
  const [up, down] = [side(1), side(-1)]
  return createTensor(
    up.shape,
    up.data.map((v, i) => (v - down.data[i]!) / (2 * stretch)),
  )
}

interface Seen {
  readonly inputs: readonly Tensor[]
  /** Which elements of each input depend on the model's input. */
  readonly varies: readonly Uint8Array[]
  readonly result: Tensor
  readonly mask: Uint8Array
  readonly layout: SlotLayout
}

/** A ciphertext that does not vary although it reads values that do. */
function assertNothingCancels(name: string, layer: Layer, { inputs, varies, result, mask, layout }: Seen): void {
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
  const reads = differences(result, forward(layer, changed), 1000 * SAME * largest([...changed, result]))
  const lost = ciphertextOf.findIndex((ciphertext, element) => !alive.has(ciphertext) && reads[element] !== 0)
  if (lost < 0) return
  throw new PlanError(
    'constant',
    `layer "${name}": what it reads cancels out (as in x - x): element ${lost} of its result, and ${layout.kind === 'batch' ? 'its ciphertext' : `all of ciphertext ${ciphertextOf[lost]}`}, is ${result.data[lost]!.toPrecision(3)} for every input, so nothing is left to encrypt: take it out of the network and put the constant there`,
  )
}

/** The layer with its activation replaced: x + cos(x) / 3 grows with x and has both an odd and an even part. */
const forward = (layer: Layer, inputs: readonly Tensor[]): Tensor =>
  isCalibrated(layer)
    ? createTensor(
        inputs[0]!.shape,
        inputs[0]!.data.map((x) => x + Math.cos(x) / 3),
      )
    : layer.forward(inputs)

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
