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
  const weight = elementWeight(plan.map)
  // one array for all: thousands of them would have the garbage collected again and again
  const filled = new Float64Array(plan.length)
  return plan.blocks.map((block) => {
    const owners = ownersOf(plan, block)
    const diagonals = new Map<number, LazyDiagonal>()
    for (const step of block.steps) {
      const values = (): Float64Array =>
        fillDiagonal(filled, plan, owners.get(step) ?? [], {
          inverse: inverse[block.from]!,
          weight,
          ...outputs[block.to]!,
        })
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

interface Links extends OutputElements {
  /** Of an input ciphertext: the element in a slot, or -1. */
  readonly inverse: Int32Array
  readonly weight: (out: number, source: number) => number
}

/** @returns `values`, filled */
function fillDiagonal(values: Float64Array, plan: TransformPlan, shares: readonly Share[], links: Links): Float64Array {
  const { elements, slots, inverse, weight } = links
  const period = plan.input.period
  values.fill(0)
  for (const { shift, reach } of shares)
    for (let k = 0; k < elements.length; k++) {
      const slot = slots[k]!
      const source = inverse[(slot + reach) % period]!
      if (source < 0) continue
      const value = weight(elements[k]!, source)
      if (value !== 0) values[(slot + shift) % plan.length] = value
    }
  return values
}

/** Weight between an output element and an input element; 0 where the window does not link them. */
function elementWeight(map: LinearMap): (out: number, source: number) => number {
  const { outputs, inputs } = groupSizes(map)
  const { window } = map
  // numbers, not elements of arrays: looked at millions of times
  const [kernelRows, kernelColumns] = window.kernel
  const [strideY, strideX] = window.stride
  const [top, left] = window.padding
  const [dilationY, dilationX] = window.dilation
  const [from, to] = [placesOf(map.input), placesOf(map.output)]
  return (out, source) => {
    const [c, o] = [from.channel[source]!, to.channel[out]!]
    const group = Math.floor(o / outputs)
    if (Math.floor(c / inputs) !== group) return 0
    const [y, x] = [to.row[out]!, to.column[out]!]
    const dy = from.row[source]! - y * strideY + top
    const dx = from.column[source]! - x * strideX + left
    // most are too far away: looked at first, since divisions take longer
    if (dy < 0 || dx < 0 || dy % dilationY !== 0 || dx % dilationX !== 0) return 0
    const [ky, kx] = [dy / dilationY, dx / dilationX]
    return ky < kernelRows && kx < kernelColumns ? map.weight(o, c - group * inputs, ky, kx, y, x) : 0
  }
}

interface Places {
  readonly channel: Int32Array
  readonly row: Int32Array
  readonly column: Int32Array
}

/** Of every element of a tensor. */
function placesOf([channels, rows, columns]: LinearMap['input']): Places {
  const size = channels * rows * columns
  const places = { channel: new Int32Array(size), row: new Int32Array(size), column: new Int32Array(size) }
  for (let i = 0; i < size; i++) {
    places.channel[i] = Math.floor(i / (rows * columns))
    places.row[i] = Math.floor(i / columns) % rows
    places.column[i] = i % columns
  }
  return places
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
