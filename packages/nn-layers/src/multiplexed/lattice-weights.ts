/**
 * The weights of a map whose output keeps the lattice of its input, by the distance from an output's slot to what it reads. All pixels of
 * a pair of channels share the distance of a tap, so a diagonal is a few rectangles, each of one weight.
 */
import type { MultiplexedGrid, MultiplexedLayout } from '@he-ml/packing'
import { groupSizes, type LinearMap, type TapRange, usefulRanges } from '../linear-map/linear-map.ts'
import type { DiagonalWeights, Ends } from './diagonal-weights.ts'

/** With its distance from the output to what it reads, in slots, on the output's lattice. */
interface PlacedRange extends TapRange {
  readonly offset: number
}

interface Tap {
  readonly row: PlacedRange
  readonly column: PlacedRange
}

/** From one input ciphertext to one output ciphertext. */
export class LatticeWeights implements DiagonalWeights {
  readonly #map: LinearMap
  readonly #output: MultiplexedLayout
  readonly #taps: readonly Tap[]
  readonly #perGroup: number
  /** Links of distance d: those from starts[d] to starts[d + 1]. */
  readonly #starts: Int32Array
  /** (output channel, input channel within its group, tap), as one number each. */
  readonly #links: Int32Array

  constructor(map: LinearMap, layouts: { input: MultiplexedLayout; output: MultiplexedLayout }, ends: Ends) {
    const { input, output } = layouts
    this.#map = map
    this.#output = output
    this.#taps = tapsOf(map, input)
    this.#perGroup = groupSizes(map).inputs
    const distances = new Int32Array(input.period + 1)
    this.#each(input, ends, (distance) => distances[distance + 1]!++)
    for (let d = 0; d < input.period; d++) distances[d + 1]! += distances[d]!
    this.#starts = distances
    this.#links = new Int32Array(distances[input.period]!)
    const next = distances.slice()
    this.#each(input, ends, (distance, link) => {
      this.#links[next[distance]!++] = link
    })
  }

  fill(values: Float64Array, distance: number, shift: number, factor: number): void {
    const map = this.#map
    const { grid, slots } = this.#output
    const around = values.length - 1
    const [taps, perGroup, links] = [this.#taps, this.#perGroup, this.#links]
    for (let i = this.#starts[distance]!; i < this.#starts[distance + 1]!; i++) {
      const link = links[i]!
      const tap = taps[link % taps.length]!
      const pair = Math.floor(link / taps.length)
      const [o, c] = [Math.floor(pair / perGroup), pair % perGroup]
      const start = (grid.channelOffsets[o]! % slots) + shift
      if (map.placed) {
        for (const { y, x, slot } of placesOf(tap, grid))
          values[(start + slot) & around] = map.weight(o, c, tap.row.tap, tap.column.tap, y, x) * factor
        continue
      }
      const weight = map.weight(o, c, tap.row.tap, tap.column.tap, 0, 0) * factor
      if (weight !== 0) fillRectangle(values, start, tap, grid, weight)
    }
  }

  #each(
    { grid, period, slots }: MultiplexedLayout,
    { from, to }: Ends,
    visit: (distance: number, link: number) => void,
  ) {
    const { outputs, inputs } = groupSizes(this.#map)
    const [reads, writes] = [grid.channelOffsets, this.#output.grid.channelOffsets]
    const taps = this.#taps.map(({ row, column }) => row.offset + column.offset)
    for (let o = 0; o < writes.length; o++) {
      if (Math.floor(writes[o]! / this.#output.slots) !== to) continue
      const group = Math.floor(o / outputs)
      for (let c = 0; c < inputs; c++) {
        const read = reads[group * inputs + c]!
        if (Math.floor(read / slots) !== from) continue
        const between = (read % slots) - (writes[o]! % this.#output.slots)
        for (let t = 0; t < taps.length; t++) {
          const distance = (between + taps[t]!) % period
          visit(distance < 0 ? distance + period : distance, (o * inputs + c) * taps.length + t)
        }
      }
    }
  }
}

/** The same weight at every output of a tap. */
function fillRectangle(values: Float64Array, start: number, tap: Tap, grid: MultiplexedGrid, weight: number): void {
  const around = values.length - 1
  const { rowStride, columnStride } = grid
  const { first, last } = tap.column
  for (let y = tap.row.first; y <= tap.row.last; y++) {
    let slot = start + y * rowStride + first * columnStride
    for (let x = first; x <= last; x++) {
      values[slot & around] = weight
      slot += columnStride
    }
  }
}

function* placesOf({ row, column }: Tap, { rowStride, columnStride }: MultiplexedGrid) {
  for (let y = row.first; y <= row.last; y++)
    for (let x = column.first; x <= column.last; x++) yield { y, x, slot: y * rowStride + x * columnStride }
}

function tapsOf(map: LinearMap, { grid }: MultiplexedLayout): Tap[] {
  const rows = rangesOf(map, 0, grid.rowStride)
  const columns = rangesOf(map, 1, grid.columnStride)
  return rows.flatMap((row) => columns.map((column) => ({ row, column })))
}

const rangesOf = (map: LinearMap, axis: 0 | 1, stride: number): PlacedRange[] =>
  usefulRanges(map, axis).map((range) => ({
    ...range,
    offset: (range.tap * map.window.dilation[axis] - map.window.padding[axis]) * stride,
  }))
