/**
 * Values that say nothing of the input. A result without weights is computed all the same (its layer gives it one unit of the
 * scale, see nn-layers) and is reported. One whose inputs cancel, x - x, would leave a ciphertext that anyone can read and
 * that the client refuses after the whole run: it is refused here, by name. Found by two random inputs; activations are
 * replaced by a function that neither saturates, nor dies, nor is odd or even, so that only the graph and the weights count.
 */
import { PlanError } from '@he-ml/ckks-core'
import {
  createTensor,
  isCalibrated,
  type Layer,
  layoutPositions,
  type Model,
  type Shape,
  type SlotLayout,
  sizeOf,
  type Tensor,
} from '@he-ml/packing'
import type { Schedule } from './schedule.ts'

/** What differs by less than this share of the largest value is the same: rounding of doubles leaves 1e-16 a term. */
const SAME = 1e-10

/**
 * Indices of the output's elements that do not depend on the input.
 * @throws PlanError ('constant') naming the layer in which a whole ciphertext cancels
 */
export function findConstants(model: Model, { nodes }: Schedule): number[] {
  const layouts = new Map(nodes.map(({ name, lowered }) => [name, lowered.output]))
  const [a, b] = [probe(model.input.shape, 1), probe(model.input.shape, 2)]
  const varies = new Map<string, Uint8Array>([[model.input.name, new Uint8Array(a.data.length).fill(1)]])
  const others = new Map<string, Tensor>([[model.input.name, b]])
  const inputsOf = new Map(model.nodes.map(({ layer, inputs }) => [layer.name, inputs]))
  model.evaluate(a, (layer, inputs) => {
    const names = inputsOf.get(layer.name)!
    const first = forward(layer, inputs)
    const second = forward(
      layer,
      names.map((name) => others.get(name)!),
    )
    const mask = differences(first, second, SAME * largest([...inputs, first]))
    const layout = layouts.get(layer.name)
    if (layout && !isCalibrated(layer))
      assertNothingCancels(layer, {
        inputs,
        varies: names.map((name) => varies.get(name)!),
        result: first,
        mask,
        layout,
      })
    others.set(layer.name, second)
    varies.set(layer.name, mask)
    return first
  })
  return [...varies.get(model.output)!.entries()].filter(([, v]) => v === 0).map(([i]) => i)
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
function assertNothingCancels(layer: Layer, { inputs, varies, result, mask, layout }: Seen): void {
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
    `layer "${layer.name}": what it reads cancels out (as in x - x): element ${lost} of its result, and ${layout.kind === 'batch' ? 'its ciphertext' : `all of ciphertext ${ciphertextOf[lost]}`}, is ${result.data[lost]!.toPrecision(3)} for every input, so nothing is left to encrypt: take it out of the network and put the constant there`,
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
