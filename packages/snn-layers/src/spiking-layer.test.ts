import {
  createClearEngine,
  InvalidArgumentError,
  insecureParameters,
  LevelError,
  PlanError,
  sameScale,
} from '@he-ml/ckks-core'
import { createTensor, type InputStatistics, type Tensor } from '@he-ml/model'
import { createNeuron, type Neuron } from '@he-ml/model/spiking'
import {
  createBatchLayout,
  createMultiplexedLayout,
  type LoweredLayer,
  PackedTensor,
  pack,
  type SlotLayout,
  unpack,
} from '@he-ml/packing'
import { createNeuronKernel, hardSpike, normalAt } from '@he-ml/snn-neurons'
import { describe, expect, it } from 'vitest'
import { polynomialSpikeStep } from './polynomial-step.ts'
import type { SoftStep } from './spike-step.ts'
import { type SpikingLayer, spiking } from './spiking-layer.ts'

const resets = ['subtract', 'zero', 'none'] as const
const neurons: [string, Neuron][] = resets.flatMap((reset): [string, Neuron][] => [
  [`lif, ${reset}`, createNeuron({ kind: 'lif', beta: 0.6, threshold: 0.8, reset })],
  [`qif, ${reset}`, createNeuron({ kind: 'qif', a: 0.25, u1: -0.125, u2: 0.5, threshold: 0.75, reset })],
  [`qif with u1 = u2, ${reset}`, createNeuron({ kind: 'qif', a: 0.3, u1: 0.2, u2: 0.2, threshold: 1, reset })],
])
const SIZE = 12
const currents = (steps: number, seed = 3): Tensor[] =>
  Array.from({ length: steps }, (_, t) =>
    createTensor(
      [SIZE],
      Float64Array.from({ length: SIZE }, (_, i) => 0.7 * normalAt(seed, SIZE * t + i) + 0.3),
    ),
  )
const statistics: InputStatistics = { count: 9, min: -3, max: 3, mean: 0, std: 1, histogram: new Float64Array(8) }
const options = { margin: 1.25, degree: 15 }

describe.each(neurons)('%s, in the clear', (_, neuron) => {
  it('is the neuron of snn-neurons to the bit, and charges with what was carried', () => {
    const layer = spiking({ name: 'n', neuron })
    const kernel = createNeuronKernel(neuron)
    const u = new Float64Array(SIZE)
    const [spike, charged] = [new Float64Array(SIZE), new Float64Array(SIZE)]
    let carried: Tensor | undefined
    for (const x of currents(6)) {
      const inputs = carried ? [x, carried] : [x]
      kernel.forward({ membranePotential: u, input: x.data }, hardSpike(neuron.threshold), {
        spike,
        charged,
        membranePotential: u,
      })
      expect(layer.observed(inputs).data).toEqual(charged)
      const [s, m] = layer.forwardAll(inputs)
      expect(s!.data).toEqual(spike)
      carried = m!
    }
    expect(carried!.data.some((v) => v !== 0)).toBe(true)
  })

  it('holds values times factors and stays the same neuron', () => {
    const plain = spiking({ name: 'n', neuron }).calibrate(statistics, options)
    const held = plain.withFactors([0.5, 2]).withFactors([0.5, 0.25])
    let [a, b]: (Tensor | undefined)[] = []
    for (const x of currents(4)) {
      const times = (t: Tensor, f: number) =>
        createTensor(
          t.shape,
          t.data.map((v) => v * f),
        )
      for (const forward of ['forwardAll', 'forwardAllApproximate'] as const) {
        const [s, m]: readonly Tensor[] = plain[forward](a ? [x, a] : [x])
        const [ts, tm]: readonly Tensor[] = held[forward](b ? [times(x, 0.25), b] : [times(x, 0.25)])
        for (let i = 0; i < SIZE; i++) {
          expect(ts!.data[i]!).toBeCloseTo(0.5 * s!.data[i]!, 9)
          expect(tm!.data[i]!).toBeCloseTo(0.25 * m!.data[i]!, 9)
        }
        if (forward === 'forwardAll') continue
        a = m!
        b = tm!
      }
    }
  })
})

it('rounds charged membranes to a grid in the clear', () => {
  const neuron = createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' })
  const layer = spiking({ name: 'n', neuron, grid: { step: 0.25, count: 16 } })
  const [spike, membrane] = layer.forwardAll([createTensor([3], Float64Array.of(0.9, 0.8, 9))])
  expect([[...spike!.data], [...membrane!.data]]).toEqual([
    [1, 0, 1],
    [0, 0.375, 0.375],
  ])
})

describe('a spiking layer', () => {
  const neuron = createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' })
  const layer = spiking({ name: 'n', neuron })
  const image = createMultiplexedLayout([SIZE], { maxSlots: 512 })
  it('refuses what it cannot do', () => {
    const stateless = { kind: 'lif', beta: 0, threshold: 1, reset: 'subtract' } as const
    expect(() => spiking({ name: 'n', neuron: stateless })).toThrow(/"n": .* beta 0 has no state/)
    expect(() => layer.outputShapes([])).toThrow(InvalidArgumentError)
    expect(() => layer.outputShapes([[2], [3]])).toThrow(/"n": .* got \[2\] and \[3\]/)
    expect(() => layer.lower([image])).toThrow(PlanError)
    expect(() => layer.calibrate({ ...statistics, count: 0 }, options)).toThrow(/"n": spike step: no usable/)
    const fitted = layer.calibrate(statistics, options)
    expect(() => fitted.withFactors([1, -1])).toThrow(/two positive factors/)
    const moved: SlotLayout = {
      ...image,
      grid: { ...image.grid, channelOffsets: [...image.grid.channelOffsets].reverse() },
    }
    expect(() => fitted.lower([image, moved])).toThrow(/"n": its current and its membrane lie in different slots/)
  })
  it('asks for the factors that cost nothing, and widens its step to get an integer', () => {
    const fitted = layer.calibrate(statistics, options)
    const reachOf = ({ fitted }: SpikingLayer) => (fitted as SoftStep).reach
    expect(reachOf(fitted)).toBe(5)
    expect(fitted.factorGroups.map(({ wanted }) => wanted)).toEqual([1 / 5, 0.1])
    const held = fitted.withFactors([1 / 10.5, 1])
    expect(reachOf(held)).toBeCloseTo(5.25, 12)
    expect(held.factorGroups[0]!.wanted).toBeCloseTo(2, 12)
    expect(reachOf(fitted.withFactors([1 / 8, 1]))).toBe(5)
  })
})

/** Runs time steps on the clear engine and compares with what the layer says that its circuit computes. */
async function runEncrypted(layer: SpikingLayer, layout: SlotLayout, steps: readonly Tensor[]) {
  const parameters = insecureParameters({ logN: 10, levels: 14, scaleBits: 40, dnum: 15 })
  const engine = createClearEngine(parameters)
  const encrypt = (t: Tensor, like: SlotLayout, level: number) => {
    const vectors = pack(t, like)
    if (like.kind === 'multiplexed' && like.grid.gaps === 'any')
      for (const v of vectors) for (let i = SIZE; i < v.length; i++) v[i] = 1000
    return new PackedTensor(
      like,
      vectors.map((v) => engine.encryptClear(v, { level })),
    )
  }
  const read = ({ ciphertexts, layout: at }: PackedTensor) => {
    const vectors = ciphertexts.map((c) => engine.readClear(c).re)
    for (const v of vectors) expect(Math.max(...v.map(Math.abs))).toBeLessThan(40)
    return unpack(vectors, at, 1)[0]!
  }
  const depths: number[] = []
  let carried: { clear: Tensor; layout: SlotLayout } | undefined
  for (const x of steps) {
    const layouts = carried ? [layout, carried.layout] : [layout]
    const lowered: LoweredLayer = layer.lower(layouts)
    depths.push(lowered.depth)
    const level = lowered.depth + 1
    using prepared = await lowered.prepare(engine, { level })
    const inputs = [encrypt(x, layout, level)]
    if (carried) inputs.push(encrypt(carried.clear, { ...carried.layout }, level))
    const outputs = await prepared.apply(engine, inputs)
    expect(outputs.map((o) => o.layout)).toEqual(lowered.outputs)
    const wanted = layer.forwardAllApproximate(carried ? [x, carried.clear] : [x])
    for (const [i, output] of outputs.entries()) {
      for (const c of output.ciphertexts) {
        expect([c.level, c.degree]).toEqual([1, 1])
        expect(sameScale(c.scale, parameters.scaleAt(1))).toBe(true)
      }
      const got = read(output)
      for (const [k, v] of wanted[i]!.data.entries()) expect(got.data[k]!, `output ${i}, ${k}`).toBeCloseTo(v, 7)
      output.dispose()
    }
    for (const input of inputs) input.dispose()
    carried = { clear: wanted[1]!, layout: lowered.outputs[1]! }
  }
  expect(engine.memory().ciphertexts).toBe(0)
  return depths
}

describe.each(neurons)('%s, on ciphertexts', (_, neuron) => {
  const step = polynomialSpikeStep({ degrees: [7, 7] })
  const fitted = spiking({ name: 'n', neuron, step }).calibrate(statistics, options)
  const held = fitted.withFactors(fitted.factorGroups.map(({ wanted }) => wanted ?? 1))
  const image = createMultiplexedLayout([SIZE], { maxSlots: 512 })
  const products = (neuron.reset === 'zero' ? 1 : 0) + (neuron.kind === 'qif' ? 1 : 0)
  // where nothing waits for the spike, a quadratic drift is done before it
  const depth = 6 + (neuron.reset === 'none' ? 0 : products)
  const scaled = (factor: number) =>
    currents(3).map((t) =>
      createTensor(
        t.shape,
        t.data.map((v) => v * factor),
      ),
    )

  it('takes the levels of its step, and one for each product', async () => {
    const factor = held.membraneFactor
    expect(await runEncrypted(held, image, scaled(factor))).toEqual([depth, depth, depth])
    expect(await runEncrypted(held, createBatchLayout([SIZE], { slots: 4 }), scaled(factor))).toEqual([
      depth,
      depth,
      depth,
    ])
  })
  it('says when levels run out, and how many it takes', async () => {
    await using engine = createClearEngine(insecureParameters({ logN: 10, levels: 14, scaleBits: 40, dnum: 15 }))
    const lowered = held.lower([image])
    await expect(lowered.prepare(engine, { level: lowered.depth - 1 })).rejects.toThrow(LevelError)
    await expect(lowered.prepare(engine, { level: lowered.depth - 1 })).rejects.toThrow(/"n".*level/)
  })
  it('keeps the nominal scale at its borders over twelve steps', async () => {
    const steps = currents(12).map((t) =>
      createTensor(
        t.shape,
        t.data.map((v) => v * 0.2 * held.membraneFactor),
      ),
    )
    expect(await runEncrypted(held, image, steps)).toEqual(new Array(12).fill(depth))
  })
  it('takes one more for values held otherwise, and one for gaps of any size', async () => {
    const [plain] = await runEncrypted(fitted, image, scaled(1))
    expect(plain).toBeGreaterThan(depth)
    expect(plain).toBeLessThanOrEqual(depth + 2)
    const dirty: SlotLayout = { ...image, grid: { ...image.grid, gaps: 'any' } }
    expect(await runEncrypted(held, dirty, scaled(held.membraneFactor))).toEqual([depth + 1, depth + 1, depth + 1])
  })
  it('lets spikes be a multiple of what the reset subtracts, either way', async () => {
    for (const times of [3, 1 / 2]) {
      const other = held.withFactors([1, times])
      expect(await runEncrypted(other, image, scaled(held.membraneFactor))).toEqual([depth, depth, depth])
    }
  })
})
