import { CancelledError, InvalidArgumentError, ParameterMismatchError, PlanError } from '@he-ml/ckks-core'
import { createTensor, Model, type Tensor } from '@he-ml/model'
import { linear } from '@he-ml/nn-layers'
import { functionalSpikeStep, polynomialSpikeStep, type SpikeStep, spiking } from '@he-ml/snn-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Calibration } from '../ready/calibration.ts'
import { fit } from '../ready/fit.ts'
import { compileCheapest } from './compile-cheapest.ts'

const neuron = { kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' } as const
const grid = { step: 0.25, count: 16 }
const matrix = (rows: number, columns: number, seed: number) =>
  createTensor(
    [rows, columns],
    Float64Array.from({ length: rows * columns }, (_, i) => 0.25 * (((i * 7 + seed) % 5) - 1)),
  )
const largest = ({ data }: Tensor): number => data.indexOf(Math.max(...data))
const network = (step: SpikeStep, seed = 2) =>
  new Model({
    name: 'spikes',
    input: { name: 'x', shape: [4] },
    nodes: [
      { layer: linear({ name: 'fc1', weights: matrix(6, 4, 1) }), inputs: ['x'] },
      { layer: spiking({ name: 'n', neuron, grid, step }), inputs: ['fc1'] },
      { layer: linear({ name: 'fc2', weights: matrix(3, 6, seed) }), inputs: ['n/spike'] },
    ],
    states: [{ value: 'n/membrane', node: 'n', input: 1 }],
    steps: 2,
    readout: 'mean',
  })
const samples: Tensor[] = Array.from({ length: 16 }, (_, i) =>
  createTensor(
    [4],
    Float64Array.from({ length: 4 }, (_, k) => (i >> k) & 1),
  ),
)

describe('compileCheapest', () => {
  const exact = network(functionalSpikeStep())
  const soft = network(polynomialSpikeStep({ degrees: [7] }))
  const coarse = network(polynomialSpikeStep({ degrees: [1] }))
  let calibration: Calibration
  beforeAll(async () => {
    calibration = await fit(exact, samples)
  })

  it('takes the fastest of those that answer as the network does', async () => {
    const any = await compileCheapest({ exact, soft, coarse }, { calibration, samples, agreement: 0 })
    const seconds = new Map(any.judged.map((way) => [way.name, 'seconds' in way ? way.seconds : Infinity]))
    expect([...seconds.keys()]).toEqual(['exact', 'soft', 'coarse'])
    expect(any.name).toBe('coarse')
    expect(any.bound.plan.report.seconds).toBe(Math.min(...seconds.values()))
    const sure = await compileCheapest({ coarse, exact }, { calibration, samples, agreement: 1 })
    expect(sure.name).toBe('exact')
    expect(sure.model).toBe(exact)
    expect(sure.simulation.agreement).toBe(1)
    expect(sure.bound.plan.functional).toBeDefined()
  })
  it('goes on where one cannot run, and says why', async () => {
    const { name, judged } = await compileCheapest({ exact, soft }, { calibration, samples, agreement: 0, logN: 14 })
    expect(name).toBe('soft')
    expect(judged[0]).toMatchObject({ name: 'exact', refused: expect.any(PlanError) })
  })
  it('refuses when none will do, with what each reached', async () => {
    const own = await fit(coarse, samples)
    await expect(compileCheapest({ coarse }, { calibration: own, samples, agreement: 1 })).rejects.toThrow(
      /agrees with it on 100\.0 % of the samples: coarse \d+\.\d %/,
    )
    await expect(compileCheapest({ exact }, { calibration, samples, logN: 13 })).rejects.toThrow(PlanError)
  })
  it('takes a calibration of any of the ways, and of no other model', async () => {
    const options = { calibration, samples, agreement: 0 }
    const judged = (await compileCheapest({ soft, exact }, options)).judged
    expect(judged.filter((way) => 'refused' in way)).toEqual([])
    await expect(compileCheapest({ soft, coarse }, options)).rejects.toThrow(ParameterMismatchError)
  })
  it('takes the faster one only where it answers as many samples alike as is wanted, by the same samples', async () => {
    const all = await compileCheapest({ exact, coarse }, { calibration, samples, agreement: 0 })
    const [sure, fast] = all.judged.map((way) => ('agreement' in way ? way.agreement : Number.NaN))
    expect(sure).toBe(1)
    expect(fast).toBe(1 - all.simulation.differing.length / samples.length)
    expect(fast).toBeLessThan(1)
    const at = (agreement: number) => compileCheapest({ exact, coarse }, { calibration, samples, agreement })
    expect((await at(fast!)).name).toBe('coarse')
    expect((await at(fast! + 1e-9)).name).toBe('exact')
  })
  it('judges ways by the first network, and refuses other networks', async () => {
    const another = network(polynomialSpikeStep({ degrees: [7] }), 4)
    const options = { calibration, samples }
    await expect(compileCheapest({ exact, another }, options)).rejects.toThrow(
      /"exact" and "another" are different networks: in the clear they answer \d+\.\d % of the samples alike/,
    )
    const any = await compileCheapest({ exact, another }, { ...options, agreement: 0 })
    const judged = any.judged[1]!
    const clear = samples.filter((x) => {
      const { data } = exact.forward(x)
      return data[largest(another.forward(x))]! >= Math.max(...data) - 1e-6
    }).length
    expect(clear).toBeLessThan(samples.length)
    expect('agreement' in judged && judged.agreement).toBeLessThanOrEqual(clear / samples.length)
    const narrow = new Model({
      name: 'narrow',
      input: { name: 'x', shape: [4] },
      nodes: [{ layer: linear({ name: 'fc', weights: matrix(2, 4, 1) }), inputs: ['x'] }],
    })
    await expect(compileCheapest({ exact, narrow }, options)).rejects.toThrow(/they have 3 and 2 outputs/)
  })
  const single = new Model({
    name: 'single',
    input: { name: 'x', shape: [4] },
    nodes: [{ layer: linear({ name: 'fc', weights: matrix(1, 4, 1) }), inputs: ['x'] }],
  })
  it.each([
    ['no ways', {}, { samples }, /at least one way/],
    ['null for ways', null, { samples }, /at least one way/],
    ['no samples', { exact }, { samples: [] }, /at least one sample/],
    ['samples left out', { exact }, {}, /at least one sample/],
    ['samples of NaN', { exact }, { samples: [createTensor([4], Float64Array.of(0, NaN, 0, 0))] }, /element 1 is NaN/],
    ['no share', { exact }, { samples, agreement: 1.5 }, /agreement must be a number from 0 to 1/],
    ['a network that decides nothing', { single }, { samples }, /"single" has one output/],
    ['a misspelt option', { exact }, { samples, agrement: 1 }, /no option agrement/],
  ])('refuses %s', async (_, ways, options, says) => {
    const call = compileCheapest(ways as never, options as never)
    await expect(call).rejects.toThrow(InvalidArgumentError)
    await expect(call).rejects.toThrow(says)
  })
  it('can be cancelled', async () => {
    const options = { calibration, samples, signal: AbortSignal.abort() }
    await expect(compileCheapest({ exact }, options)).rejects.toThrow(CancelledError)
  })
})
