import { createTensor, forwardApproximate, type Model, type Tensor } from '@he-ml/model'
import { type BoundPlan, compileAndBind, fit } from '@he-ml/pipeline'
import { buildSpikingModel, functionalSpikeStep, polynomialSpikeStep } from '@he-ml/snn-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { drawLook } from '../picture/pictures.ts'
import { TOY_GRID, toyNetwork } from '../toy-network.test-helper.ts'
import { cellsOf } from './cells.ts'
import { clearNeurons } from './clear-neurons.ts'
import { DecryptedValues } from './decrypted-values.ts'
import { examine, rms, scatterOf } from './examine.ts'
import { lookText } from './look-text.ts'

const image = (seed: number): Tensor =>
  createTensor(
    [1, 28, 28],
    Float64Array.from({ length: 784 }, (_, i) => ((i * 7919 + seed * 104_729) % 13) % 2),
  )
const images = Array.from({ length: 12 }, (_, seed) => image(seed))

/** Values of a run without any error, but for what `change` does to them. */
function valuesOf(bound: BoundPlan, input: Tensor, change: (value: string, data: Float64Array) => void = () => {}) {
  const values = new DecryptedValues()
  const add = (value: string, held: Tensor) => {
    const factor = bound.plan.decided.factors[value.replace(/@\d/, '')] ?? 1
    const data = held.data.map((x) => x / factor)
    const [encrypted, clear] = [data, data.slice()].map((one) => createTensor([...held.shape], one))
    change(value, encrypted!.data)
    values.add({ task: '', value, encrypted: [encrypted!], clear: [clear!] })
  }
  bound.model.evaluate(input, (node, given) => {
    const results = forwardApproximate(node.layer, given)
    for (const [i, result] of results.entries()) add(node.values[i]!, result)
    return results
  })
  return values
}

describe('a look into a run of exact spikes', () => {
  let model: Model
  let bound: BoundPlan
  beforeAll(async () => {
    model = buildSpikingModel(toyNetwork(true), { step: functionalSpikeStep() })
    bound = await compileAndBind(model, { calibration: await fit(model, images) })
  })
  const lookAt = (change?: (value: string, data: Float64Array) => void) =>
    examine(clearNeurons(model, image(3), true), cellsOf(bound.model), valuesOf(bound, image(3), change), true)

  it('finds the neurons of every step, those of a static layer in one refresh', () => {
    expect(cellsOf(bound.model)).toEqual([
      { layer: 'neurons1', step: 0, current: 'conv1', spike: 'neurons1/spike@0' },
      { layer: 'neurons1', step: 1, spike: 'neurons1/spike@1' },
      ...[
        { layer: 'neurons2', step: 0, current: 'fc1@0', spike: 'neurons2@0/spike', membrane: 'neurons2@0/membrane' },
        {
          ...{ layer: 'neurons2', step: 1, current: 'fc1@1', carried: 'neurons2@0/membrane' },
          spike: 'neurons2@1/spike',
        },
      ],
    ])
  })

  it('finds the same spikes on the points of the grid where nothing is wrong', async () => {
    const layers = lookAt()
    expect(layers.map(({ name, neurons, seen, differing }) => [name, neurons, seen, differing])).toEqual([
      ['neurons1', 16, 32, 0],
      ['neurons2', 8, 16, 0],
    ])
    for (const { clear, encrypted } of layers) {
      expect(encrypted).toEqual(clear)
    }
    expect(new Set(layers.flatMap(({ clear }) => [...clear]))).toEqual(new Set([0, 1]))
    // of neurons1 the second charge stays within the refresh
    expect(layers.map(({ distances }) => distances.length)).toEqual([16, 16])
    const { deviation, furthest } = scatterOf(layers)!
    // membranes' functions are near their values, not through them
    expect(furthest).toBeLessThan(0.002)
    expect(deviation).toBeLessThanOrEqual(furthest)
    expect(lookText(layers, 50).join('\n')).toMatch(/clear network: 48 of 48 \(100 %\).*planned: .* 0\.010 steps/s)
  })

  it('counts spikes that differ, and measures what is off', () => {
    const layers = lookAt((value, data) => {
      if (value === 'neurons1/spike@1') data[5] = 1 - Math.round(data[5]!) + 0.2
      if (value === 'fc1@1') data.fill(data[0]! + 0.3 * TOY_GRID.step, 0, 1)
      if (value === 'neurons2@0/membrane') data[2]! -= 0.1 * TOY_GRID.step
    })
    const [one, two] = layers
    expect([one!.differing, two!.differing]).toEqual([1, 0])
    expect(one!.encrypted.findIndex((s, i) => s !== one!.clear[i])).toBe(16 + 5)
    expect([...two!.distances].map((d) => Number(d.toFixed(2)) + 0)).toEqual([
      ...Array(8).fill(0),
      ...[0.3, 0, -0.1, 0, 0, 0, 0, 0],
    ])
    expect(two!.drift[1]!.charged! / TOY_GRID.step).toBeCloseTo(Math.sqrt(0.1 / 8), 3)
    expect(two!.drift[0]!.membranes! / TOY_GRID.step).toBeCloseTo(Math.sqrt(0.01 / 8), 3)
    expect(scatterOf(layers)).toMatchObject({ count: 32, beyond: 0, furthest: expect.closeTo(0.3, 2) })
    expect(lookText(layers)).toContainEqual(expect.stringMatching(/^spikes as in .* 47 of 48 \(97\.92 %\)/))
  })

  it('is drawn, with what differs in another colour', async () => {
    const subject = { name: 'toy', label: 3, decisionMargin: 50 }
    const layers = lookAt((value, data) => {
      if (value === 'neurons2@1/spike') for (const i of [0, 1, 2]) data[i] = 1 - Math.round(data[i]!)
      if (value === 'fc1@0') data[0]! += 0.7 * TOY_GRID.step
    })
    const drawn = await drawLook(layers, subject)
    expect(Object.keys(drawn)).toEqual(['raster.svg', 'margin.svg'])
    for (const svg of Object.values(drawn)) expect(/NaN|undefined|Infinity/.exec(svg)?.[0]).toBe(undefined)
    const marks = (kind: string) => drawn['raster.svg']!.match(new RegExp(`kind: ${kind}`, 'g'))?.length ?? 0
    const expected = layers.flatMap(({ clear, encrypted }) => [...clear].map((s, i) => [s, encrypted[i]!]))
    expect(marks('missing') + marks('unexpected')).toBe(3)
    expect(marks('spike')).toBe(
      expected.filter(([s, e]) => s === 1 && e === 1).length + expected.filter(([s]) => s === 1).length,
    )
    expect(drawn['raster.svg']).toMatch(/>neurons2<.*>encrypted<.*>3 differ</s)
    for (const text of ['How sure 32 decisions are: toy, a 3', 'beyond', 'neurons1', 'neurons2'])
      expect(drawn['margin.svg']).toContain(`>${text}</`)
    expect(drawn['margin.svg']).toContain('1 of 32 beyond 1/2')
    expect(drawn['margin.svg']).toContain('planned: a standard deviation of 0.010 steps')
  })
})

describe('a look into a run of soft spikes', () => {
  it('measures what softness costs, and what encryption does', async () => {
    const model = buildSpikingModel(toyNetwork(false), { step: polynomialSpikeStep({ width: 0.5 }) })
    const calibration = await fit(model, images)
    const bound = await compileAndBind(model, { calibration, activation: { margin: 1.3, degree: 15 } })
    const values = valuesOf(bound, image(3), (value, data) => {
      if (value === 'fc1@1') for (const i of data.keys()) data[i]! += 0.001
    })
    const layers = examine(clearNeurons(model, image(3), false), cellsOf(bound.model), values, false)
    expect(layers.map(({ name, seen, distances }) => [name, seen, distances.length])).toEqual([
      ['neurons1', 32, 0],
      ['neurons2', 16, 0],
    ])
    const [before, after] = layers[1]!.drift
    expect(before!.encryption).toBe(0)
    expect(after!.encryption).toBeCloseTo(0.001, 9)
    expect(after!.charged).toBeGreaterThan(0.01)
    const drawn = await drawLook(layers, { name: 'toy', label: 3 })
    expect(Object.keys(drawn)).toEqual(['raster.svg', 'drift.svg'])
    for (const text of ['from the clear network', 'from the same polynomials', 'time step'])
      expect(drawn['drift.svg']).toContain(`>${text}</`)
  })
})

it('values in parts are put together; after a refresh they are what they are then', () => {
  const values = new DecryptedValues()
  const clear = [createTensor([2], Float64Array.of(1, 2))]
  for (const encrypted of [
    [1.5, Number.NaN],
    [Number.NaN, 2.5],
    [1.25, Number.NaN],
  ])
    values.add({ task: '', value: 'v', encrypted: [createTensor([2], Float64Array.from(encrypted))], clear })
  expect(values.get('v')).toEqual({ encrypted: Float64Array.of(1.25, 2.5), clear: Float64Array.of(1, 2) })
  expect(values.get('w')).toBeUndefined()
  expect(values.get(undefined)).toBeUndefined()
  expect(rms([3, -4, 0, 0])).toBe(2.5)
})
