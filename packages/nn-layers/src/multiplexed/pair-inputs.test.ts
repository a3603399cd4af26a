import { createTensor, type Tensor } from '@he-ml/model'
import { createMultiplexedLayout, layoutPositions, type MultiplexedLayout } from '@he-ml/packing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { forwardLinear } from '../linear-map/forward.ts'
import type { LinearMap } from '../linear-map/linear-map.ts'
import { diagonalMatrices } from './diagonal-values.ts'
import { ElementWeights } from './element-weights.ts'
import { LatticeWeights } from './lattice-weights.ts'
import { liftZeroOutputs } from './lift-zero-outputs.ts'
import { isPaired, pairInputs } from './pair-inputs.ts'
import { onLattice } from './placement.ts'
import { referencePrices } from './prices.ts'
import { planTransform } from './transform-plan.ts'
import type { TransformPlan } from './transform-shape.ts'

const MAX_SLOTS = 256

/** Any convolution whose channels are of at most 8 x 8 pixels, every weight different. */
const maps: fc.Arbitrary<LinearMap> = fc
  .record({
    groups: fc.constantFrom(1, 1, 2),
    inputs: fc.integer({ min: 1, max: 5 }),
    outputs: fc.integer({ min: 1, max: 5 }),
    rows: fc.integer({ min: 1, max: 8 }),
    columns: fc.integer({ min: 1, max: 8 }),
    kernel: fc.constantFrom(1, 2, 3),
    stride: fc.constantFrom(1, 2, 3),
    padding: fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.nat(3)),
    dilation: fc.constantFrom(1, 2),
    placed: fc.boolean(),
  })
  .map(({ groups, inputs, outputs, rows, columns, kernel, stride, padding, dilation, placed }) => {
    const [top, left, bottom, right] = padding
    const out = (size: number) => Math.floor((size - dilation * (kernel - 1) - 1) / stride) + 1
    const output = [groups * outputs, out(rows + top + bottom), out(columns + left + right)] as const
    return {
      name: 'conv',
      input: [groups * inputs, rows, columns] as const,
      output,
      outputShape: output,
      window: {
        kernel: [kernel, kernel] as const,
        stride: [stride, stride] as const,
        padding,
        dilation: [dilation, dilation] as const,
      },
      groups,
      placed,
      weight: (o: number, c: number, ky: number, kx: number, y: number, x: number) =>
        Math.sin(1 + o + 7 * c + 41 * ky + 97 * kx + (placed ? 3 * y + 5 * x : 0)),
    }
  })
  .filter(({ output }) => output[1] >= 1 && output[2] >= 1)

/** As many channels out as in, square images that keep their size, all weights the same. */
function square(channels: number, size: number, kernel: 1 | 3, weight: number): LinearMap {
  const shape = [channels, size, size] as const
  const edge = (kernel - 1) / 2
  return {
    name: 'conv',
    input: shape,
    output: shape,
    outputShape: shape,
    window: { kernel: [kernel, kernel], stride: [1, 1], padding: [edge, edge, edge, edge], dilation: [1, 1] },
    groups: 1,
    weight: () => weight,
  }
}

const planOf = (map: LinearMap, maxSlots: number): TransformPlan | undefined => {
  try {
    const input = createMultiplexedLayout(map.input, { maxSlots })
    return planTransform(map, input, { maxSlots, gaps: 'zero' })
  } catch {
    return undefined // it says that it does not fit, or that every window reads padding only
  }
}

const imageOf = (map: LinearMap): Tensor =>
  createTensor(
    map.input,
    Float64Array.from({ length: map.input[0] * map.input[1] * map.input[2] }, (_, i) => Math.cos(3 * i + 1)),
  )

/** What the plan's rotations, diagonals and folds make of an image, slot by slot. */
function run(plan: TransformPlan, image: Tensor): Float64Array {
  const { input, output, slots, length } = plan
  const vectors = Array.from({ length: input.ciphertexts }, () => new Float64Array(input.period))
  layoutPositions(input).forEach((place, i) => {
    vectors[Math.floor(place / input.slots)]![place % input.slots] = image.data[i]!
  })
  const at = (ciphertext: number, slot: number) => vectors[ciphertext]![slot & (input.period - 1)]!
  const sums = Array.from({ length: output.ciphertexts }, () => new Float64Array(slots))
  for (const [i, { diagonals }] of diagonalMatrices(plan).entries()) {
    const { from, to } = plan.blocks[i]!
    const { real, imaginary } = plan.carried[from]!
    for (const [step, { values }] of diagonals) {
      const { re, im } = values()
      for (let s = 0; s < slots; s++) {
        const other = imaginary ? at(imaginary.from, s + step + imaginary.steps) : 0
        sums[to]![s]! += re[s % length]! * at(real, s + step) - (im?.[s % length] ?? 0) * other
      }
    }
  }
  const folded = sums.map((sum) =>
    plan.folds.reduce((total, fold) => total.map((v, s) => v + total[(s + fold) % slots]!), sum),
  )
  const factor = isPaired(plan) ? 2 : 1
  return Float64Array.from(
    layoutPositions(output),
    (place) => factor * folded[Math.floor(place / output.slots)]![place % output.slots]!,
  )
}

describe('pairs of inputs', () => {
  const free = { ...referencePrices(MAX_SLOTS), rotate: 0 }
  const expectSame = (got: Float64Array, want: Float64Array) => {
    expect(got.length).toBe(want.length)
    for (const [i, value] of want.entries()) expect(Math.abs(got[i]! - value)).toBeLessThan(1e-9)
  }

  it.each([64, 256])('compute what the layer does, in ciphertexts of %d slots', (maxSlots) => {
    let [paired, several, odd] = [0, 0, 0]
    fc.assert(
      fc.property(maps, (map) => {
        const plan = planOf(map, maxSlots)
        fc.pre(plan !== undefined)
        const want = forwardLinear(map, imageOf(map)).data
        const pairs = isPaired(plan) ? plan : pairInputs(plan, free)
        if (isPaired(pairs)) paired++
        if (pairs.carried.length < plan.input.ciphertexts) several++
        if (pairs.carried.some((c) => !c.imaginary) && isPaired(pairs)) odd++
        expectSame(run(plan, imageOf(map)), want)
        expectSame(run(pairs, imageOf(map)), want)
      }),
      { numRuns: 200, seed: 16 },
    )
    // not vacuous: the seed is fixed
    expect(paired).toBeGreaterThan(50)
    if (maxSlots === 64) expect(Math.min(several, odd)).toBeGreaterThan(5)
  })

  it('and single inputs are right where an output reaches further than the input whose places it could take', () => {
    const map: LinearMap = {
      name: 'conv',
      input: [16, 8, 18],
      output: [14, 5, 17],
      outputShape: [14, 5, 17],
      window: { kernel: [1, 3], stride: [3, 1], padding: [3, 1, 3, 0], dilation: [1, 1] },
      groups: 2,
      weight: (o, c, _, kx) => Math.sin(1 + o + 7 * c + 41 * kx),
    }
    const plan = planOf(map, 2048)!
    expect(plan.output.ciphertexts).toBeGreaterThan(1)
    expectSame(run(plan, imageOf(map)), forwardLinear(map, imageOf(map)).data)
  })

  it('halve the diagonals of a convolution of many channels, which is planned so', () => {
    const input = createMultiplexedLayout([8, 16, 16], { maxSlots: 32768 })
    const map = square(8, 16, 3, 1)
    const plan = planTransform(map, input, { maxSlots: 32768, gaps: 'zero' })
    expect(isPaired(plan)).toBe(true)
    expect(plan.blocks.map(({ steps }) => steps.length)).toEqual([36])
  })

  it('do not pay for a layer of few diagonals', () => {
    const input = createMultiplexedLayout([1, 16, 16], { maxSlots: 32768 })
    const map = square(1, 16, 1, 1)
    expect(isPaired(planTransform(map, input, { maxSlots: 32768, gaps: 'zero' }))).toBe(false)
  })

  it('have a diagonal that is not zero where all weights are', () => {
    const scale = 2 ** 20
    const input = createMultiplexedLayout([4, 4, 4], { maxSlots: MAX_SLOTS })
    const map = square(4, 4, 3, 0)
    const plan = pairInputs(planTransform(map, input, { maxSlots: MAX_SLOTS, gaps: 'zero' }), free)
    expect(isPaired(plan)).toBe(true)
    const [matrix] = liftZeroOutputs(plan, diagonalMatrices(plan), scale)
    const [first] = matrix!.diagonals.values()
    expect(first!.values().re.every((v) => v === 1 / scale)).toBe(true)
  })
})

describe('LatticeWeights', () => {
  it('write what ElementWeights do', () => {
    fc.assert(
      fc.property(maps, fc.nat(MAX_SLOTS - 1), (map, shift) => {
        const plan = planOf(map, 64)
        fc.pre(plan !== undefined && onLattice(plan.output.grid, map, plan.input))
        const layouts: { input: MultiplexedLayout; output: MultiplexedLayout } = plan
        for (const { from, to } of plan.blocks) {
          const ends = { from: plan.carried[from]!.real, to }
          const [lattice, elements] = [new LatticeWeights(map, layouts, ends), new ElementWeights(map, layouts, ends)]
          for (let distance = 0; distance < plan.input.period; distance++) {
            const [a, b] = [new Float64Array(plan.length), new Float64Array(plan.length)]
            lattice.fill(a, distance, shift, 0.5)
            elements.fill(b, distance, shift, 0.5)
            expect(a).toEqual(b)
          }
        }
      }),
      { numRuns: 60, seed: 16 },
    )
  })
})
