import {
  createClearEngine,
  createFunctionalBootstrapping,
  FormatError,
  FUNCTIONAL_SETS,
  functionalLiteral,
  InvalidArgumentError,
  insecureParameters,
  PlanError,
} from '@he-ml/ckks-core'
import { createTensor, type InputStatistics, type Tensor } from '@he-ml/model'
import { createNeuron, type Grid, type Neuron, nearestOnGrid } from '@he-ml/model/spiking'
import { createBatchLayout, createMultiplexedLayout, PackedTensor, pack, type SlotLayout, unpack } from '@he-ml/packing'
import { drift, driftFromZero, numberArithmetic, resetMembrane } from '@he-ml/snn-neurons'
import { describe, expect, it } from 'vitest'
import { functionalSpikeStep } from './functional-step.ts'
import type { ExactStep } from './spike-step.ts'
import { type SpikingLayer, spiking } from './spiking-layer.ts'

const grid: Grid = { step: 0.25, count: 32 }
const options = { margin: 1.25, degree: 15 }
/** Membranes from -2 to 2.5, twice as many of the middle ones. */
const statistics: InputStatistics = {
  count: 190,
  min: -2,
  max: 2.5,
  mean: 0,
  std: 1,
  histogram: Float64Array.from({ length: 19 }, (_, i) => (Math.abs(i - 9) < 4 ? 20 : 5)),
}
const resets = ['subtract', 'zero', 'none'] as const
const neurons: [string, Neuron][] = resets.flatMap((reset): [string, Neuron][] => [
  [`lif, ${reset}`, createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset })],
  [`qif, ${reset}`, createNeuron({ kind: 'qif', a: 0.25, u1: 0, u2: 0.5, threshold: 1, reset })],
])
const exact = (neuron: Neuron) => functionalSpikeStep().fit({ neuron, grid }, statistics, options) as ExactStep
const points = Array.from({ length: 19 }, (_, i) => i * 0.25 - 2)

/** Membranes' functions are near their values, not through them: a hundredth of a step. */
const NEARLY = 0.01 * grid.step

/** A step in the clear, everything on the grid. */
function advance(neuron: Neuron, charged: number) {
  const spike = charged >= neuron.threshold ? 1 : 0
  const rest = drift(numberArithmetic, neuron, resetMembrane(numberArithmetic, neuron, charged, spike))
  return { spike, membrane: nearestOnGrid(rest, grid) }
}

describe.each(neurons)('%s', (_, neuron) => {
  it('gives spike and next membrane of every point that was seen', () => {
    const step = exact(neuron)
    // 19 points that were seen, 10 beside them, and three that are free
    expect(step.period / 0.25).toBe(32)
    for (const v of points) {
      const { spike, membrane } = step.forward(v)
      expect(spike).toBeCloseTo(advance(neuron, v).spike, 5)
      expect(Math.abs(membrane - advance(neuron, v).membrane)).toBeLessThan(NEARLY)
    }
    const { spike, membrane } = step.functions({ spike: 3, membrane: 0.5 })
    expect(spike.at(1 / step.period)).toBeCloseTo(3, 5)
    expect(Math.abs(membrane.at(-1 / step.period) - 0.5 * advance(neuron, -1).membrane)).toBeLessThan(NEARLY)
    expect(membrane.wantedAt(-1 / step.period)).toBe(0.5 * advance(neuron, -1).membrane)
    // of an error of a twenty-fifth of a step less than half comes out again, wherever it came by
    expect(membrane.worstError(0.04) / (0.5 * grid.step)).toBeLessThan(0.02)
    // values are missed by thousandths of a step: made for no noise they are met, made for more they are missed by more
    const missed = points.map((v) => Math.abs(membrane.at(v / step.period) - membrane.wantedAt(v / step.period)))
    expect(Math.max(...missed) / (0.5 * grid.step)).toBeGreaterThan(1e-3)
    expect(Math.max(...missed) / (0.5 * grid.step)).toBeLessThan(4e-3)
    expect([spike.depth, membrane.depth]).toEqual([6, 5])
  })

  it('gives the spikes of several steps with one current', () => {
    const functions = exact(neuron).overSteps(4, 2)
    const start = nearestOnGrid(driftFromZero(neuron), grid)
    for (const first of points) {
      let charged = first
      for (const f of functions) {
        const { spike, membrane } = advance(neuron, charged)
        expect(f.at(first / exact(neuron).period)).toBeCloseTo(2 * spike, 4)
        charged = nearestOnGrid(membrane + (first - start), grid)
      }
    }
  })
})

describe('the form of an exact step', () => {
  const neuron = neurons[0]![1]
  it('makes the same step again', () => {
    const step = exact(neuron)
    const again = functionalSpikeStep().restore({ neuron, grid }, JSON.parse(JSON.stringify(step.form))) as ExactStep
    expect(again.form).toEqual(step.form)
    for (const v of points) expect(again.forward(v)).toEqual(step.forward(v))
  })
  it.each([
    [{ grid: { step: 0, count: 16 } }, /grid of a positive step/],
    [{ grid: { step: 1, count: 15 } }, /even count/],
    [{ grid: { step: 1, count: 512 } }, /even count/],
    [{ grid: 'fine' }, /grid/],
    [{ first: 0.5 }, /index of the first point/],
    [{ points: 1000 }, /2 to 256 points/],
    [{ weights: [1] }, /2 to 31 positive weights/],
    [{ weights: new Array(32).fill(1) }, /2 to 31 positive weights/],
    [{ weights: [1, -1, 1] }, /positive weights/],
    [{ beyond: -1 }, /share of charges beyond/],
    [{ beyond: 'few' }, /share of charges beyond/],
  ])('refuses %o', (change, message) => {
    const { form } = exact(neuron)
    expect(() => functionalSpikeStep().restore({ neuron, grid }, { ...form, ...change })).toThrow(message)
    expect(() => functionalSpikeStep().restore({ neuron, grid }, { ...form, ...change })).toThrow(FormatError)
  })
  it('refuses what makes no step', () => {
    expect(() => functionalSpikeStep({ points: 48 })).toThrow(InvalidArgumentError)
    const fit = (change: Partial<InputStatistics>, cell = { neuron, grid }) =>
      functionalSpikeStep().fit(cell, { ...statistics, ...change }, options)
    expect(() => fit({ count: 0 })).toThrow(PlanError)
    expect(() => fit({ max: Number.NaN })).toThrow(/no usable statistics/)
    expect(() => fit({}, { neuron, grid: { step: 0.01, count: 1024 } })).toThrow(/1024 points is too fine/)
    expect(() => fit({ min: -70, max: 70 }, { neuron, grid: { step: 0.25, count: 16 } })).toThrow(
      /more than the 240 steps/,
    )
  })
  it('tells charges beyond the ends of the grid apart, and takes them for the ends', () => {
    const { min: low, max: high } = { min: -4, max: 5 }
    const wide = { ...statistics, min: low, max: high, histogram: new Float64Array(36).fill(100) }
    const step = functionalSpikeStep().fit({ neuron, grid }, wide, options) as ExactStep
    for (let v = low; v <= high; v += grid.step) {
      const { spike, membrane } = advance(neuron, nearestOnGrid(v, grid))
      expect(step.forward(v).spike).toBeCloseTo(spike, 4)
      expect(Math.abs(step.forward(v).membrane - nearestOnGrid(membrane, grid))).toBeLessThan(NEARLY)
    }
    const again = functionalSpikeStep().restore({ neuron, grid }, step.form) as ExactStep
    expect(again.form).toEqual(step.form)
  })
  it('that never fires is a function all the same, of a ciphertext that says nothing without the key', () => {
    const dead = { ...statistics, min: -1, max: -0.75, histogram: new Float64Array(2).fill(100) }
    const step = functionalSpikeStep().fit({ neuron, grid: { step: 0.25, count: 4 } }, dead, options) as ExactStep
    for (const f of [step.functions({ spike: 2, membrane: 1 }).spike, ...step.overSteps(3, 2)]) {
      for (const v of [-1, -0.75]) expect(f.at(v / step.period)).toBeCloseTo(0, 4)
      const all = Array.from({ length: 64 }, (_, i) => f.at(i / 64))
      expect(Math.max(...all) - Math.min(...all)).toBeGreaterThan(1)
    }
  })
  it('starts on the grid', () => {
    const qif = { kind: 'qif', a: 0.25, u1: 0.5, u2: 0.5, threshold: 1, reset: 'zero' } as unknown as Neuron
    const step = functionalSpikeStep().fit({ neuron: qif, grid: { step: 0.5, count: 16 } }, statistics, options)
    expect((step as ExactStep).start).toBe(nearestOnGrid(driftFromZero(qif), { step: 0.5, count: 16 }))
    expect((step as ExactStep).start).not.toBe(driftFromZero(qif))
  })
  it('leaves out rare ends where that saves a level', () => {
    const fine: Grid = { step: 0.125, count: 64 }
    // a point a bin, three rare ones at either end
    const seen = (rare: number): InputStatistics => ({
      ...statistics,
      min: -4,
      max: 4 - 1e-9,
      histogram: Float64Array.from({ length: 64 }, (_, i) => (i < 3 || i > 60 ? rare : 1e7)),
    })
    const depth = (rare: number) => {
      const step = functionalSpikeStep().fit({ neuron, grid: fine }, seen(rare), options) as ExactStep
      expect(step.forward(-3.5).spike).toBeLessThan(0.01)
      expect(step.forward(3.5).spike).toBeGreaterThan(0.99)
      return step.functions({ spike: 1, membrane: 1 }).spike.depth
    }
    expect([depth(1), depth(1000)]).toEqual([7, 8])
    const beyond = (rare: number) =>
      (functionalSpikeStep().fit({ neuron, grid: fine }, seen(rare), options) as ExactStep).beyond
    // 64 points, of which 60 have values
    expect(beyond(1)).toBeCloseTo(4 / (6 + 58 * 1e7), 12)
    expect(beyond(1000)).toBe(0)
  })
  it('finds a grid where neurons were trained without one', () => {
    const step = functionalSpikeStep({ points: 128 }).fit({ neuron }, statistics, options) as ExactStep
    expect(step.period / ((2 * 2.5 * 1.25) / 126)).toBeGreaterThan(90)
    expect(step.forward(2).spike).toBeCloseTo(1, 3)
  })
})

const SIZE = 12
const base = FUNCTIONAL_SETS['N16-P64']

/** Two time steps on the clear engine with noise, beside what the layer says that its circuit computes. */
async function runTwoSteps(layer: SpikingLayer, layout: SlotLayout) {
  const lowered = layer.lower([layout])
  const { slots, content, period, functionLevels } = lowered.refresh!
  const spec = { ...base.spec, slots, content, functionLevels }
  const parameters = insecureParameters(
    functionalLiteral({ ...base, logN: 10, specialBits: new Array(12).fill(47.5), spec }),
  )
  const engine = createClearEngine(parameters, { noise: { seed: 3 } })
  const refresh = await createFunctionalBootstrapping(parameters, spec).prepare(engine, { periods: [period] })
  const level = base.spec.slotsToCoeffs + 1
  const held = layer.membraneFactor
  const current = (t: number): Tensor =>
    createTensor(
      [SIZE],
      Float64Array.from({ length: SIZE }, (_, i) => held * 0.25 * (((i * 5 + 3 * t) % 13) - 4)),
    )
  let carried: Tensor | undefined
  for (let t = 0; t < 2; t++) {
    const inputs = carried ? [current(t), carried] : [current(t)]
    const circuit = layer.lower(inputs.map(() => layout))
    using prepared = await circuit.prepare(engine, { level })
    const given = inputs.map(
      (tensor) =>
        new PackedTensor(
          layout,
          pack(tensor, layout).map((v) => engine.encryptClear(v, { level })),
        ),
    )
    const outputs = await prepared.apply(engine, given, { refresh })
    const wanted = layer.forwardAllApproximate(inputs)
    for (const [i, output] of outputs.entries()) {
      const vectors = output.ciphertexts.map((c) => engine.readClear(c).re)
      const got = unpack(vectors, output.layout, 1)[0]!
      for (const [k, v] of wanted[i]!.data.entries())
        expect(Math.abs(got.data[k]! - v)).toBeLessThan(i === 0 ? 0.01 * layer.spikeFactor : 0.05 * held)
      output.dispose()
    }
    for (const input of given) input.dispose()
    carried = wanted[1]!
  }
  refresh.dispose()
  expect(engine.memory().total).toBe(0)
  return lowered
}

describe.each(neurons)('a layer of %s on ciphertexts', (_, neuron) => {
  const fitted = spiking({ name: 'n', neuron, grid, step: functionalSpikeStep() }).calibrate(statistics, options)
  it('is exact, whatever factors values are held with', async () => {
    const lowered = await runTwoSteps(
      fitted.withFactors([0.375, 3]),
      createMultiplexedLayout([SIZE], { maxSlots: 512 }),
    )
    expect(lowered).toMatchObject({
      depth: 0,
      refresh: { slots: 16, content: 'real', period: 3, functionLevels: 6 },
    })
  })
  it('takes two ciphertexts of a batch at a time', async () => {
    const lowered = await runTwoSteps(fitted, createBatchLayout([SIZE], { slots: 16 }))
    expect(lowered.refresh).toMatchObject({ content: 'complex', ciphertexts: SIZE })
  })
})

it('a layer with an exact step refreshes, is told apart by it, and needs a circuit', async () => {
  const layer = spiking({ name: 'n', neuron: neurons[0]![1], grid, step: functionalSpikeStep() })
  expect(layer.refreshes).toBe(false)
  const fitted = layer.calibrate(statistics, options)
  expect(fitted.refreshes).toBe(true)
  expect(fitted.factorGroups.map(({ wanted }) => wanted)).toEqual([undefined, undefined])
  const again = layer.withFittedForm(JSON.parse(JSON.stringify(fitted.fittedForm)))
  expect(again.digestParts()).toEqual(fitted.digestParts())
  const over = fitted.overSteps(3, ['spike'])!
  expect(over.outputs).toEqual(['spike@0', 'spike@1', 'spike@2'])
  expect(fitted.overSteps(3, ['spike', 'membrane'])).toBeUndefined()
  expect(layer.overSteps(3, ['spike'])).toBeUndefined()
  const engine = createClearEngine(insecureParameters({ logN: 10, levels: 3, scaleBits: 30 }))
  const layout = createMultiplexedLayout([SIZE], { maxSlots: 512 })
  using prepared = await fitted.lower([layout]).prepare(engine, { level: 2 })
  const x = new PackedTensor(layout, [engine.encryptClear(new Float64Array(16), { level: 2 })])
  await expect(prepared.apply(engine, [x])).rejects.toThrow(/was given no functional bootstrapping/)
})
