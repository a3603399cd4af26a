import { CancelledError, InvalidArgumentError, PlanError } from '@he-ml/ckks-core'
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
const network = (step: SpikeStep) =>
  new Model({
    name: 'spikes',
    input: { name: 'x', shape: [4] },
    nodes: [
      { layer: linear({ name: 'fc1', weights: matrix(6, 4, 1) }), inputs: ['x'] },
      { layer: spiking({ name: 'n', neuron, grid, step }), inputs: ['fc1'] },
      { layer: linear({ name: 'fc2', weights: matrix(3, 6, 2) }), inputs: ['n/spike'] },
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
    await expect(compileCheapest({ coarse }, { calibration, samples, agreement: 1 })).rejects.toThrow(
      /agrees with it on 100\.0 % of the samples: coarse \d+\.\d %/,
    )
    await expect(compileCheapest({ exact }, { calibration, samples, logN: 13 })).rejects.toThrow(PlanError)
  })
  it.each([
    ['no ways', {}, { samples }],
    ['no samples', { exact }, { samples: [] }],
    ['no share', { exact }, { samples, agreement: 1.5 }],
  ])('refuses %s', async (_, ways, options) => {
    await expect(compileCheapest(ways, options)).rejects.toThrow(InvalidArgumentError)
  })
  it('can be cancelled', async () => {
    const options = { calibration, samples, signal: AbortSignal.abort() }
    await expect(compileCheapest({ exact }, options)).rejects.toThrow(CancelledError)
  })
})
