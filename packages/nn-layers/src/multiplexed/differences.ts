/**
 * Which rotations a linear map needs: the distances, modulo the input's period, from every output to the inputs it reads.
 * Where output pixels lie on the input's lattice (times the stride), a distance depends on the channels and the tap only.
 */
import type { MultiplexedLayout } from '@he-ml/packing'
import { groupSizes, type LinearMap, sourceOf, usefulTaps } from '../linear-map/linear-map.ts'
import { onLattice, type Placement } from './placement.ts'

/** Distances from one output ciphertext to one input ciphertext, as flags over [0, modulus). */
export interface Differences {
  readonly from: number
  readonly to: number
  readonly flags: Uint8Array
}

/** Slots between an output on the lattice and what a tap reads, for every tap that reads inside the image. */
function tapOffsets(map: LinearMap, { grid }: MultiplexedLayout): number[] {
  const { padding, dilation } = map.window
  return usefulTaps(map, 0).flatMap((ky) =>
    usefulTaps(map, 1).map(
      (kx) => (ky * dilation[0] - padding[0]) * grid.rowStride + (kx * dilation[1] - padding[1]) * grid.columnStride,
    ),
  )
}

/** All distances of a map between an input layout and a placement, per pair of ciphertexts. */
export function differences(map: LinearMap, input: MultiplexedLayout, placement: Placement): Differences[] {
  const found = new Map<number, Uint8Array>()
  const lattice = onLattice(placement, map, input)
  for (const { starts, ends } of lattice
    ? [{ starts: tapOffsets(map, input), ends: [0] }]
    : pixelOffsets(map, input, placement))
    addDistances(found, { map, input, placement, starts, ends })
  return [...found].map(([key, flags]) => ({
    from: Math.floor(key / placement.ciphertexts),
    to: key % placement.ciphertexts,
    flags,
  }))
}
interface Shifts {
  readonly map: LinearMap
  readonly input: MultiplexedLayout
  readonly placement: Placement
  /** Added to the offset of each input channel, and of each output channel. */
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

function addDistances(found: Map<number, Uint8Array>, { map, input, placement, starts, ends }: Shifts): void {
  const modulus = input.period
  const { outputs, inputs } = groupSizes(map)
  for (let group = 0; group < map.groups; group++) {
    const reads = byCiphertext(input.grid.channelOffsets.slice(group * inputs, (group + 1) * inputs), input.slots)
    const writes = byCiphertext(placement.offsets.slice(group * outputs, (group + 1) * outputs), placement.slots)
    for (const [from, channels] of reads) {
      const sources = distinct(channels.flatMap((channel) => starts.map((start) => mod(channel + start, modulus))))
      for (const [to, targets] of writes) {
        const key = from * placement.ciphertexts + to
        const flags = found.get(key) ?? new Uint8Array(modulus)
        found.set(key, flags)
        for (const target of distinct(targets.flatMap((t) => ends.map((end) => (t + end) % modulus))))
          for (const source of sources) flags[source >= target ? source - target : source - target + modulus] = 1
      }
    }
  }
}

/** What each output pixel reads, where it does not follow the lattice: offsets within the channels. */
function* pixelOffsets(map: LinearMap, { grid }: MultiplexedLayout, placement: Placement) {
  const [, height, width] = map.output
  const [, rows, columns] = map.input
  const inside = (size: number) => (source: number) => source >= 0 && source < size
  const reads = (out: number, axis: 0 | 1, size: number): number[] =>
    Array.from({ length: map.window.kernel[axis] }, (_, k) => sourceOf(out, k, axis, map.window)).filter(inside(size))
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const across = reads(x, 1, columns)
      const starts = reads(y, 0, rows).flatMap((iy) => across.map((ix) => iy * grid.rowStride + ix * grid.columnStride))
      yield { starts, ends: [y * placement.rowStride + x * placement.columnStride] }
    }
}

/** Pairs worked on by `differences`, a bound on its time. */
export function differencesWork(map: LinearMap, input: MultiplexedLayout): number {
  const { outputs, inputs } = groupSizes(map)
  return map.groups * outputs * inputs * tapOffsets(map, input).length
}

/** Flags modulo half the modulus: what is left to reach when halves are added up afterwards. */
export function halve(flags: Uint8Array): Uint8Array {
  const half = flags.length / 2
  const result = flags.slice(0, half)
  for (let i = 0; i < half; i++) result[i]! |= flags[half + i]!
  return result
}

/**
 * The flagged residues as signed steps: the circle is cut at its widest gap, so that steps that are close together modulo
 * the period are close together as integers; among equal gaps, where steps begin nearest to 0.
 */
export function signedSteps(flags: Uint8Array): number[] {
  const modulus = flags.length
  const residues: number[] = []
  for (let r = 0; r < modulus; r++) if (flags[r]) residues.push(r)
  const signed = (r: number): number => (2 * r > modulus ? r - modulus : r)
  let start = 0
  let widest = -1
  residues.forEach((r, i) => {
    const before = residues[(i - 1 + residues.length) % residues.length]!
    const gap = mod(r - before - 1, modulus)
    const nearer = Math.abs(signed(r)) < Math.abs(signed(residues[start]!))
    if (gap < widest || (gap === widest && !nearer)) return
    widest = gap
    start = i
  })
  if (residues.length === 0) return []
  const first = signed(residues[start]!)
  return residues.map((r) => first + mod(r - first, modulus)).sort((a, b) => a - b)
}

const mod = (a: number, m: number): number => ((a % m) + m) % m

const distinct = (values: readonly number[]): number[] => [...new Set(values)]

function byCiphertext(offsets: readonly number[], slots: number): Map<number, number[]> {
  const groups = new Map<number, number[]>()
  for (const offset of offsets) {
    const ciphertext = Math.floor(offset / slots)
    const list = groups.get(ciphertext)
    if (list) list.push(offset % slots)
    else groups.set(ciphertext, [offset % slots])
  }
  return groups
}
