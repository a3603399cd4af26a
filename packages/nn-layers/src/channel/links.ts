/** Which copies of which channels the outputs of a group read, and their weights, block by block. */
import type { WeightMatrix } from '@he-ml/ckks-core'
import { groupSizes } from '../linear-map/linear-map.ts'
import { liftZeroRows } from '../lowered/unit-weight.ts'
import type { ChannelPlan, PlannedTap } from './channel-plan.ts'

/** Copies of one input channel. */
export interface ChannelCopies {
  /** Within the group. */
  readonly channel: number
  /** Indices of taps. */
  readonly taps: readonly number[]
}

/** Copies that are held at a time, at most (but for a single channel that has more). */
const MAX_COPIES = 64

/** The copies that some output of the group reads with a weight that does not round to zero; one where there is none. */
function copiesOf({ map, taps }: ChannelPlan, group: number, scale: number): ChannelCopies[] {
  const { inputs, outputs } = groupSizes(map)
  const isRead = (tap: PlannedTap, c: number): boolean => {
    for (let o = group * outputs; o < (group + 1) * outputs; o++)
      if (Math.abs(tap.weight(o, c)) * scale > 0.5) return true
    return false
  }
  const copies = Array.from({ length: inputs }, (_, channel) => ({
    channel,
    taps: taps.flatMap((tap, i) => (isRead(tap, channel) ? [i] : [])),
  })).filter((copy) => copy.taps.length > 0)
  return copies.length > 0 ? copies : [{ channel: 0, taps: [0] }]
}

/** Blocks of whole channels, so that every copy is made once. */
function blocksOf(copies: readonly ChannelCopies[]): ChannelCopies[][] {
  const blocks: ChannelCopies[][] = []
  let held = MAX_COPIES
  for (const copy of copies) {
    if (held + copy.taps.length > MAX_COPIES) {
      blocks.push([])
      held = 0
    }
    blocks.at(-1)!.push(copy)
    held += copy.taps.length
  }
  return blocks
}

/** One block: weights[row][column] of output `group * outputs + row`, columns as the copies come. */
export interface LinkBlock {
  readonly copies: readonly ChannelCopies[]
  /** Of `rows` outputs from `first` (within the group) on. */
  weights(first: number, rows: number): WeightMatrix
}

/** @param scale of the weights; rows that round to zero in all blocks are lifted in the first (see unit-weight.ts) */
export function linksOf(plan: ChannelPlan, group: number, scale: number): LinkBlock[] {
  const { outputs } = groupSizes(plan.map)
  const all = copiesOf(plan, group, scale)
  const row = (o: number, copies: readonly ChannelCopies[]): number[] =>
    copies.flatMap(({ channel, taps }) => taps.map((tap) => plan.taps[tap]!.weight(group * outputs + o, channel)))
  return blocksOf(all).map((copies, block) => ({
    copies,
    weights: (first, rows) => {
      const data = Float64Array.from(Array.from({ length: rows }, (_, i) => row(first + i, copies)).flat())
      const columns = data.length / rows
      for (let i = 0; block === 0 && i < rows; i++)
        if (row(first + i, all).every((w) => Math.abs(w) * scale <= 0.5))
          liftZeroRows(data.subarray(i * columns, (i + 1) * columns), columns, scale)
      return { rows, columns, data }
    },
  }))
}
