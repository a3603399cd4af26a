/** The diagonals of a planned transform, made one at a time when an engine asks for them. */
import type { ComplexVector, DiagonalMatrix, LazySlotValues } from '@he-ml/ckks-core'
import { layoutPositions } from '@he-ml/packing'
import { groupSizes, type LinearMap, weightMagnitude } from '../linear-map/linear-map.ts'
import { isPaired } from './pair-inputs.ts'
import type { TransformBlock, TransformPlan } from './transform-plan.ts'

/** A matrix whose diagonals are made when they are asked for. */
export interface LazyMatrix extends DiagonalMatrix {
  readonly diagonals: ReadonlyMap<number, LazyDiagonal>
}

export interface LazyDiagonal extends LazySlotValues {
  readonly values: () => ComplexVector
}

/** One matrix per block of the plan, in the plan's order. */
export function diagonalMatrices(plan: TransformPlan): LazyMatrix[] {
  const inverse = inverseOf(plan)
  const outputs = outputsOf(plan)
  const magnitude = diagonalMagnitude(plan)
  const weight = elementWeight(plan.map)
  const factor = isPaired(plan) ? 0.5 : 1
  // the same arrays for all: thousands of them would have the garbage collected again and again
  const [re, im] = [new Float64Array(plan.length), new Float64Array(plan.length)]
  return plan.blocks.map((block) => {
    const { real, imaginary } = plan.carried[block.from]!
    const owners = ownersOf(plan, block)
    const diagonals = new Map<number, LazyDiagonal>()
    for (const step of block.steps) {
      const values = (): ComplexVector => {
        const shares = owners.get(step) ?? []
        const links = { weight, ...outputs[block.to]! }
        const fill = (half: Half, filled: Float64Array, from: number, times: number) =>
          fillDiagonal(
            filled,
            plan,
            shares.filter((s) => s.half === half),
            { inverse: inverse[from]!, ...links },
            times,
          )
        fill('real', re, real, factor)
        if (!imaginary) return { re }
        fill('imaginary', im, imaginary.from, -factor)
        return { re, im }
      }
      diagonals.set(mod(step, plan.slots), { slots: plan.length, values, magnitude })
    }
    return { slots: plan.slots, diagonals }
  })
}

type Half = 'real' | 'imaginary'

interface Share {
  readonly half: Half
  readonly shift: number
  /** Distance from the output's slot to the input that this share reads, modulo the input's period. */
  readonly reach: number
}

/** Which shares each step serves; every distance to every input is served exactly once. */
function ownersOf({ input, carried, shifts }: TransformPlan, block: TransformBlock): Map<number, Share[]> {
  const { real, imaginary } = carried[block.from]!
  const halves = [{ half: 'real' as Half, from: real, steps: 0 }]
  if (imaginary) halves.push({ half: 'imaginary', ...imaginary })
  const served = new Set<number>()
  const owners = new Map<number, Share[]>()
  for (const step of block.steps)
    for (const shift of shifts)
      for (const { half, from, steps } of halves) {
        const reach = mod(step + shift + steps, input.period)
        const key = from * input.period + reach
        if (served.has(key)) continue
        served.add(key)
        const own = owners.get(step)
        if (own) own.push({ half, shift, reach })
        else owners.set(step, [{ half, shift, reach }])
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

/** Weights times `factor`. */
function fillDiagonal(
  values: Float64Array,
  plan: TransformPlan,
  shares: readonly Share[],
  links: Links,
  factor: number,
): void {
  const { elements, slots, inverse, weight } = links
  // powers of two both: millions of remainders
  const within = plan.input.period - 1
  const around = plan.length - 1
  values.fill(0)
  for (const { shift, reach } of shares)
    for (let k = 0; k < elements.length; k++) {
      const slot = slots[k]!
      const source = inverse[(slot + reach) & within]!
      if (source < 0) continue
      const value = weight(elements[k]!, source)
      if (value !== 0) values[(slot + shift) & around] = value * factor
    }
}

/** Weight between an output element and an input element; 0 where the window does not link them. */
function elementWeight(map: LinearMap): (out: number, source: number) => number {
  const { outputs, inputs } = groupSizes(map)
  const { window } = map
  // numbers, not elements of arrays: looked at millions of times
  const [kernelRows, kernelColumns] = window.kernel
  const [dilationY, dilationX] = window.dilation
  const height = kernelRows * dilationY
  const width = kernelColumns * dilationX
  const { row, column, group, inGroup } = placesOf(map.input, inputs)
  const to = placesOf(map.output, outputs)
  const [toChannel, toGroup, toRow, toColumn] = [to.channel, to.group, to.row, to.column]
  const top = toRow.map((y) => y * window.stride[0] - window.padding[0])
  const left = toColumn.map((x) => x * window.stride[1] - window.padding[1])
  const isDense = dilationY === 1 && dilationX === 1
  return (out, source) => {
    const dy = row[source]! - top[out]!
    const dx = column[source]! - left[out]!
    // most are too far away
    if (dy < 0 || dx < 0 || dy >= height || dx >= width || group[source] !== toGroup[out]) return 0
    if (isDense) return map.weight(toChannel[out]!, inGroup[source]!, dy, dx, toRow[out]!, toColumn[out]!)
    const [ky, kx] = [dy / dilationY, dx / dilationX]
    if (!Number.isInteger(ky) || !Number.isInteger(kx)) return 0
    return map.weight(toChannel[out]!, inGroup[source]!, ky, kx, toRow[out]!, toColumn[out]!)
  }
}

interface Places {
  readonly channel: Int32Array
  readonly group: Int32Array
  /** Channel within the group. */
  readonly inGroup: Int32Array
  readonly row: Int32Array
  readonly column: Int32Array
}

/** Of every element of a tensor of groups of so many channels. */
function placesOf([channels, rows, columns]: LinearMap['input'], inGroup: number): Places {
  const size = channels * rows * columns
  const of = (place: (i: number) => number): Int32Array => Int32Array.from({ length: size }, (_, i) => place(i))
  const channel = (i: number): number => Math.floor(i / (rows * columns))
  return {
    channel: of(channel),
    group: of((i) => Math.floor(channel(i) / inGroup)),
    inGroup: of((i) => channel(i) % inGroup),
    row: of((i) => Math.floor(i / columns) % rows),
    column: of((i) => i % columns),
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
function diagonalMagnitude(plan: TransformPlan): number {
  const { map, blocks, length } = plan
  const [channels, height, width] = map.output
  const links = channels * height * width * groupSizes(map).inputs * map.window.kernel[0] * map.window.kernel[1]
  const count = blocks.reduce((sum, b) => sum + b.steps.length, 0)
  return (isPaired(plan) ? 0.5 : 1) * weightMagnitude(map) * Math.sqrt(links / (length * count))
}

const mod = (a: number, m: number): number => ((a % m) + m) % m
