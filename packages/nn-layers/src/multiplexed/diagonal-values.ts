/** The diagonals of a planned transform, made one at a time when an engine asks for them. */
import type { DiagonalMatrix, LazySlotValues } from '@he-ml/ckks-core'
import { layoutPositions } from '@he-ml/packing'
import { groupSizes, type LinearMap, weightMagnitude } from '../linear-map/linear-map.ts'
import type { TransformBlock, TransformPlan } from './transform-plan.ts'

/** A matrix whose diagonals are made when they are asked for. */
export interface LazyMatrix extends DiagonalMatrix {
  readonly diagonals: ReadonlyMap<number, LazyDiagonal>
}

export interface LazyDiagonal extends LazySlotValues {
  readonly values: () => Float64Array
}

/** One matrix per block of the plan, in the plan's order. */
export function diagonalMatrices(plan: TransformPlan): LazyMatrix[] {
  const inverse = inverseOf(plan)
  const outputs = outputsOf(plan)
  const magnitude = diagonalMagnitude(plan)
  return plan.blocks.map((block) => {
    const owners = ownersOf(plan, block)
    const diagonals = new Map<number, LazyDiagonal>()
    for (const step of block.steps) {
      const values = (): Float64Array =>
        fillDiagonal(plan, owners.get(step) ?? [], inverse[block.from]!, outputs[block.to]!)
      diagonals.set(mod(step, plan.slots), { slots: plan.length, values, magnitude })
    }
    return { slots: plan.slots, diagonals }
  })
}

interface Share {
  readonly shift: number
  /** Distance from the output's slot to the input that this share reads, modulo the input's period. */
  readonly reach: number
}

/** Which shares each step serves; every distance is served exactly once. */
function ownersOf(plan: TransformPlan, block: TransformBlock): Map<number, Share[]> {
  const served = new Set<number>()
  const owners = new Map<number, Share[]>()
  for (const step of block.steps)
    for (const shift of plan.shifts) {
      const reach = mod(step + shift, plan.input.period)
      if (served.has(reach)) continue
      served.add(reach)
      owners.set(step, [...(owners.get(step) ?? []), { shift, reach }])
    }
  return owners
}

interface OutputElements {
  /** Indices of elements, and their slots. */
  readonly elements: Int32Array
  readonly slots: Int32Array
}

function fillDiagonal(plan: TransformPlan, shares: readonly Share[], inverse: Int32Array, outputs: OutputElements) {
  const values = new Float64Array(plan.length)
  const period = plan.input.period
  const weight = elementWeight(plan.map)
  for (const { shift, reach } of shares)
    for (let k = 0; k < outputs.elements.length; k++) {
      const slot = outputs.slots[k]!
      const source = inverse[(slot + reach) % period]!
      if (source < 0) continue
      const value = weight(outputs.elements[k]!, source)
      if (value !== 0) values[(slot + shift) % plan.length] = value
    }
  return values
}

/** Weight between an output element and an input element; 0 where the window does not link them. */
function elementWeight(map: LinearMap): (out: number, source: number) => number {
  const [, height, width] = map.output
  const [, rows, columns] = map.input
  const { outputs, inputs } = groupSizes(map)
  const { kernel, stride, padding, dilation } = map.window
  return (out, source) => {
    const c = Math.floor(source / (rows * columns))
    const o = Math.floor(out / (height * width))
    const group = Math.floor(o / outputs)
    if (Math.floor(c / inputs) !== group) return 0
    const y = Math.floor(out / width) % height
    const x = out % width
    const dy = (Math.floor(source / columns) % rows) - y * stride[0] + padding[0]
    const dx = (source % columns) - x * stride[1] + padding[1]
    const ky = dy / dilation[0]
    const kx = dx / dilation[1]
    if (!(Number.isInteger(ky) && ky >= 0 && ky < kernel[0] && Number.isInteger(kx) && kx >= 0 && kx < kernel[1]))
      return 0
    return map.weight(o, c - group * inputs, ky, kx, y, x)
  }
}

/** For each input ciphertext, the element in a slot, or -1. */
function inverseOf({ input }: TransformPlan): Int32Array[] {
  const inverse = Array.from({ length: input.ciphertexts }, () => new Int32Array(input.period).fill(-1))
  layoutPositions(input).forEach((place, element) => {
    inverse[Math.floor(place / input.slots)]![place % input.slots] = element
  })
  return inverse
}

function outputsOf({ output }: TransformPlan): OutputElements[] {
  const lists = Array.from({ length: output.ciphertexts }, () => ({ elements: [] as number[], slots: [] as number[] }))
  layoutPositions(output).forEach((place, element) => {
    const list = lists[Math.floor(place / output.slots)]!
    list.elements.push(element)
    list.slots.push(place % output.slots)
  })
  return lists.map(({ elements, slots }) => ({ elements: Int32Array.from(elements), slots: Int32Array.from(slots) }))
}

/** Expected root mean square of a diagonal, for error estimates. */
function diagonalMagnitude({ map, blocks, length }: TransformPlan): number {
  const [channels, height, width] = map.output
  const links = channels * height * width * groupSizes(map).inputs * map.window.kernel[0] * map.window.kernel[1]
  const count = blocks.reduce((sum, b) => sum + b.steps.length, 0)
  return weightMagnitude(map) * Math.sqrt(links / (length * count))
}

const mod = (a: number, m: number): number => ((a % m) + m) % m
