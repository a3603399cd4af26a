/** The weights of a map by the distance from an output's slot to what it reads, for outputs anywhere: element by element. */
import { layoutPositions, type MultiplexedLayout } from '@he-ml/packing'
import { groupSizes, type LinearMap } from '../linear-map/linear-map.ts'
import type { DiagonalWeights, Ends } from './diagonal-weights.ts'

/** From one input ciphertext to one output ciphertext. */
export class ElementWeights implements DiagonalWeights {
  readonly #weight: (out: number, source: number) => number
  /** Of the input ciphertext: the element in a slot, or -1. */
  readonly #inverse: Int32Array
  /** Of the output ciphertext: indices of elements, and their slots. */
  readonly #elements: Int32Array
  readonly #slots: Int32Array

  constructor(map: LinearMap, layouts: { input: MultiplexedLayout; output: MultiplexedLayout }, ends: Ends) {
    const { input, output } = layouts
    this.#weight = elementWeight(map)
    this.#inverse = new Int32Array(input.period).fill(-1)
    for (const [element, place] of layoutPositions(input).entries())
      if (Math.floor(place / input.slots) === ends.from) this.#inverse[place % input.slots] = element
    const places = layoutPositions(output)
    const isOwn = (place: number): boolean => Math.floor(place / output.slots) === ends.to
    this.#slots = places.filter(isOwn).map((place) => place % output.slots)
    this.#elements = places.map((_, element) => element).filter((element) => isOwn(places[element]!))
  }

  fill(values: Float64Array, distance: number, shift: number, factor: number): void {
    // powers of two both: millions of remainders
    const within = this.#inverse.length - 1
    const around = values.length - 1
    for (let k = 0; k < this.#elements.length; k++) {
      const slot = this.#slots[k]!
      const source = this.#inverse[(slot + distance) & within]!
      if (source < 0) continue
      const value = this.#weight(this.#elements[k]!, source)
      if (value !== 0) values[(slot + shift) & around] = value * factor
    }
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
