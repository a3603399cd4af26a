/**
 * A linear map between two layouts as rotations and diagonals. Every candidate placement is priced with every number of
 * folds; the cheapest wins, the first among equals. Nothing here looks at a weight.
 */
import { UnsupportedError } from '@he-ml/ckks-core'
import { type LowerContext, layoutPositions, type MultiplexedLayout, nextPowerOfTwo } from '@he-ml/packing'
import type { LinearMap } from '../linear-map/linear-map.ts'
import { type Differences, differences, differencesWork, halve, signedSteps } from './differences.ts'
import { looseFolds } from './folds.ts'
import { pairInputs } from './pair-inputs.ts'
import { type Placement, placementOf, placements } from './placement.ts'
import { leastCost, type Prices, referencePrices, transformCost } from './prices.ts'
import type { TransformBlock, TransformPlan } from './transform-shape.ts'

/** Pairs of positions looked at before the search settles for what it has. */
const WORK_LIMIT = 4e7
const LEAST_CANDIDATES = 8
/** Placements, cheapest first, for which folds that leave partial sums are tried as well. */
const LOOSE_CANDIDATES = 12

/** @throws UnsupportedError when no placement fits the slots */
export function planTransform(map: LinearMap, input: MultiplexedLayout, context: LowerContext): TransformPlan {
  const preferred = context.prefer?.kind === 'multiplexed' ? placementOf(context.prefer, map) : undefined
  const best =
    (preferred && cheapest(map, input, context, [preferred])) ??
    cheapest(map, input, context, placements(map, input, context.maxSlots))
  if (best) return best
  throw new UnsupportedError(
    `layer "${map.name}": its output [${map.outputShape}] with a row stride of ${input.grid.rowStride * map.window.stride[0]} slots does not fit ciphertexts of ${context.maxSlots} slots: use a larger ring, or the batch layout`,
  )
}

function cheapest(
  map: LinearMap,
  input: MultiplexedLayout,
  context: LowerContext,
  choices: Iterable<Placement>,
): TransformPlan | undefined {
  const prices = referencePrices(context.maxSlots)
  const loosely = context.gaps === 'any' && input.ciphertexts === 1
  const work = differencesWork(map, input)
  let best: TransformPlan | undefined
  const ranking: { readonly candidate: Candidate; readonly bound: number }[] = []
  let count = 0
  for (const placement of choices) {
    if (++count > LEAST_CANDIDATES && count * work > WORK_LIMIT) break
    const layout = outputLayout({ map, input, placement })
    if (!layout) continue
    const candidate = { map, input, placement, layout, prices }
    const found = differences(map, input, placement)
    best = planPlacement(candidate, found, best)
    if (loosely && found.length === 1) ranking.push({ candidate, bound: countFlags(found[0]!) })
  }
  ranking.sort((a, b) => a.bound - b.bound)
  for (const { candidate } of ranking.slice(0, LOOSE_CANDIDATES)) best = planLoosely(candidate, best)
  return best && context.pairs !== false ? pairInputs(best, prices) : best
}

interface Candidate {
  readonly map: LinearMap
  readonly input: MultiplexedLayout
  readonly placement: Placement
  readonly layout: MultiplexedLayout
  readonly prices: Prices
}

/** The cheaper of `best` and this placement with the best number of whole halves folded. */
function planPlacement(
  candidate: Candidate,
  distances: readonly Differences[],
  best: TransformPlan | undefined,
): TransformPlan | undefined {
  const { input, placement, layout, prices } = candidate
  const length = Math.max(input.period, layout.slots)
  // whole halves can be folded where the input fills the vector and the output does not
  const smallest = placement.ciphertexts === 1 && input.period === length ? layout.slots : length
  let found = distances
  let result = best
  for (let period = length, folds: number[] = []; period >= smallest; period /= 2) {
    if (period < length) {
      found = found.map((d) => ({ ...d, flags: halve(d.flags) }))
      folds = [...folds, period]
    }
    const limit = result?.cost ?? Number.POSITIVE_INFINITY
    const extra = folds.length * prices.rotate * placement.ciphertexts
    if (extra + found.reduce((sum, d) => sum + leastCost(countFlags(d), length, prices), 0) >= limit) continue
    const blocks = found.map(({ from, to, flags }) => ({ from, to, steps: signedSteps(flags) }))
    const cost = extra + blocks.reduce((sum, b) => sum + transformCost(b.steps, length, prices), 0)
    if (cost >= limit) continue
    const shifts = Array.from({ length: length / period }, (_, r) => r * period)
    result = finish(candidate, { blocks, folds, shifts, cost, length, period })
  }
  return result
}

/** The cheaper of `best` and this placement with folds that leave partial sums behind. */
function planLoosely(candidate: Candidate, best: TransformPlan | undefined): TransformPlan | undefined {
  const { map, input, placement, layout, prices } = candidate
  const [block] = differences(map, input, placement)
  const length = Math.max(input.slots, layout.slots)
  const plan = looseFolds({
    steps: signedSteps(block!.flags),
    period: input.period,
    slots: length,
    targets: [...layoutPositions(layout)],
    prices,
  })
  if (best && plan.cost >= best.cost) return best
  const { folds, shifts, cost } = plan
  const blocks = [{ from: block!.from, to: block!.to, steps: plan.steps }]
  return finish(candidate, { blocks, folds, shifts, cost, length, period: length, gaps: 'any' })
}

interface Found {
  readonly blocks: readonly TransformBlock[]
  readonly folds: readonly number[]
  readonly shifts: readonly number[]
  readonly cost: number
  readonly length: number
  readonly period: number
  readonly gaps?: 'any'
}

function finish({ map, input, layout }: Candidate, found: Found): TransformPlan {
  const { blocks, folds, shifts, cost, length, period } = found
  const slots = Math.max(input.slots, length)
  const output: MultiplexedLayout = {
    ...layout,
    slots,
    period: layout.ciphertexts > 1 ? slots : period,
    grid: { ...layout.grid, gaps: found.gaps ?? 'zero' },
  }
  const carried = Array.from({ length: input.ciphertexts }, (_, real) => ({ real }))
  return { map, input, output, slots, length, carried, blocks, folds, shifts, cost }
}

/** The placement as a layout whose slots are just enough; undefined when it cannot follow this input. */
function outputLayout({
  map,
  input,
  placement,
}: Pick<Candidate, 'map' | 'input' | 'placement'>): MultiplexedLayout | undefined {
  const { ciphertexts, rowStride, columnStride, offsets } = placement
  const rank3 = map.outputShape.length === 3
  const layout: MultiplexedLayout = {
    kind: 'multiplexed',
    shape: map.outputShape,
    slots: placement.slots,
    period: placement.slots,
    ciphertexts,
    grid: {
      rowStride: rank3 ? rowStride : 1,
      columnStride: rank3 ? columnStride : 1,
      channelOffsets: offsets,
      gaps: 'zero',
    },
  }
  const positions = layoutPositions(layout)
  if (!areDistinct(positions, ciphertexts * placement.slots)) return undefined
  // a channel lies in one ciphertext: an output with more padding may reach further than the input whose places it takes
  const last = positions.length / map.output[0] - 1
  const reach = positions[last]! - positions[0]!
  if (offsets.some((offset) => (offset % placement.slots) + reach >= placement.slots)) return undefined
  if (new Set(positions.map((p) => Math.floor(p / placement.slots))).size < ciphertexts) return undefined // an idle one
  if (ciphertexts > 1) return placement.slots >= input.slots ? layout : undefined
  const slots = nextPowerOfTwo(positions.reduce((a, b) => Math.max(a, b)) + 1)
  return { ...layout, slots, period: slots }
}

function areDistinct(positions: Int32Array, end: number): boolean {
  const seen = new Uint8Array(end)
  return positions.every((p) => p < end && seen[p]!++ === 0)
}

function countFlags({ flags }: Differences): number {
  let count = 0
  for (let r = 0; r < flags.length; r++) count += flags[r]!
  return count
}
