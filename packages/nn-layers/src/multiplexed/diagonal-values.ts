/** The diagonals of a planned transform, made one at a time when an engine asks for them. */
import type { ComplexVector, DiagonalMatrix, LazySlotValues } from '@he-ml/ckks-core'
import { groupSizes, weightMagnitude } from '../linear-map/linear-map.ts'
import type { DiagonalWeights } from './diagonal-weights.ts'
import { ElementWeights } from './element-weights.ts'
import { LatticeWeights } from './lattice-weights.ts'
import { isPaired } from './pair-inputs.ts'
import { onLattice } from './placement.ts'
import type { TransformBlock, TransformPlan } from './transform-shape.ts'

/** A matrix whose diagonals are made when they are asked for. */
export interface LazyMatrix extends DiagonalMatrix {
  readonly diagonals: ReadonlyMap<number, LazyDiagonal>
}

export interface LazyDiagonal extends LazySlotValues {
  readonly values: () => ComplexVector
}

/** One matrix per block of the plan, in the plan's order. */
export function diagonalMatrices(plan: TransformPlan): LazyMatrix[] {
  const magnitude = diagonalMagnitude(plan)
  const factor = isPaired(plan) ? 0.5 : 1
  // the same arrays for all: thousands of them would have the garbage collected again and again
  const [re, im] = [new Float64Array(plan.length), new Float64Array(plan.length)]
  return plan.blocks.map((block) => {
    const { real, imaginary } = plan.carried[block.from]!
    const owners = ownersOf(plan, block)
    const weights = weightsOf(plan, block.to)
    const fill = (filled: Float64Array, shares: readonly Share[], half: Half, from: number, times: number): void => {
      filled.fill(0)
      for (const { shift, reach, half: own } of shares)
        if (own === half) weights(from).fill(filled, reach, shift, times)
    }
    const diagonals = new Map<number, LazyDiagonal>()
    for (const step of block.steps) {
      const values = (): ComplexVector => {
        const shares = owners.get(step) ?? []
        fill(re, shares, 'real', real, factor)
        if (!imaginary) return { re }
        fill(im, shares, 'imaginary', imaginary.from, -factor)
        return { re, im }
      }
      diagonals.set(mod(step, plan.slots), { slots: plan.length, values, magnitude })
    }
    return { slots: plan.slots, diagonals }
  })
}

/** Of each input ciphertext to this output ciphertext, made when first asked for. */
function weightsOf({ map, input, output }: TransformPlan, to: number): (from: number) => DiagonalWeights {
  // a list of all links is worth its memory where each stands for many pixels
  const hasPixels = map.output[1] * map.output[2] > 1
  const Weights = hasPixels && onLattice(output.grid, map, input) ? LatticeWeights : ElementWeights
  const made = new Map<number, DiagonalWeights>()
  return (from) => {
    const weights = made.get(from) ?? new Weights(map, { input, output }, { from, to })
    made.set(from, weights)
    return weights
  }
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

/** Expected root mean square of a diagonal, for error estimates. */
function diagonalMagnitude(plan: TransformPlan): number {
  const { map, blocks, length } = plan
  const [channels, height, width] = map.output
  const links = channels * height * width * groupSizes(map).inputs * map.window.kernel[0] * map.window.kernel[1]
  const count = blocks.reduce((sum, b) => sum + b.steps.length, 0)
  return (isPaired(plan) ? 0.5 : 1) * weightMagnitude(map) * Math.sqrt(links / (length * count))
}

const mod = (a: number, m: number): number => ((a % m) + m) % m
