import { NEURONS, spikingLenet5 } from '@he-ml/example-train-spiking-lenet5/network'
import { createNeuron, gradientWindow } from '@he-ml/snn-neurons'
import { createNetwork } from '@he-ml/snn-training'
import { describe, expect, it } from 'vitest'
import { EXPERIMENTS, withBudget } from '../experiments.ts'
import { experimentNamed, jobsOf } from '../records.test-helper.ts'
import { gridOf } from './grid.ts'
import { budgetOf, digestOf, settingsSchema } from './settings.ts'

describe('the grid', () => {
  it('has every neuron with every surrogate and seed, seeds outermost', () => {
    const jobs = jobsOf('windows-mnist', 3)
    expect(jobs.length).toBe(3 * 2 * 7)
    expect(new Set(jobs.map(({ cell }) => JSON.stringify(cell))).size).toBe(jobs.length)
    expect(jobs.slice(0, 14).every(({ cell }) => cell.seed === 1)).toBe(true)
    const widths = jobs.filter(({ settings: { surrogate } }) => surrogate.kind === 'rectangle')
    expect(new Set(widths.map(({ settings: { surrogate } }) => surrogate.width))).toEqual(
      new Set([
        ...[0.25, 0.5, 1, 2],
        ...Object.values(NEURONS).map((n) => gradientWindow(createNeuron(n), { timeSteps: 4 }).surrogate.width),
      ]),
    )
  })
  it('gives all cells of an experiment one budget', () => {
    for (const { name } of EXPERIMENTS)
      expect(new Set(jobsOf(name, 2).map(({ settings }) => digestOf(budgetOf(settings)))).size, name).toBe(1)
  })
  it('pairs: equal seeds mean equal initial weights, whatever the neuron and the window', () => {
    const weightsOf = (seed: number, cellIndex: number) => {
      const { settings } = jobsOf('windows-mnist', 2).filter(({ cell }) => cell.seed === seed)[cellIndex]!
      expect(settings.seed).toBe(seed)
      return createNetwork(spikingLenet5(settings), { seed: settings.seed }).parameters.map(({ value }) => value)
    }
    const first = weightsOf(1, 0)
    for (const other of [3, 7, 13]) expect(weightsOf(1, other)).toEqual(first)
    expect(weightsOf(2, 0)).not.toEqual(first)
  })
})

describe('the identity of a run', () => {
  const [job] = jobsOf('neurons-mnist', 1)
  const identity = (change: object) => digestOf({ ...job!.settings, ...change })

  it('is the same for equal settings, in any order of their fields', () => {
    const backwards = Object.fromEntries(Object.entries(job!.settings).reverse())
    expect(digestOf(backwards)).toBe(job!.hash)
    expect(digestOf(settingsSchema.parse(JSON.parse(JSON.stringify(job!.settings))))).toBe(job!.hash)
    expect(job!.hash).toMatch(/^[0-9a-f]{16}$/)
  })
  it('changes with everything that a result follows from', () => {
    const { data, recipe, surrogate, neuron } = job!.settings
    const changes = [
      { seed: 2 },
      { timeSteps: 5 },
      { shift: 1 },
      { kernel: 'avx2' },
      { inputShape: [1, 32, 32] },
      { network: '0000000000000000' },
      { data: { ...data, digest: '0000000000000000' } },
      { data: { ...data, training: 999 } },
      { recipe: { ...recipe, epochs: 3 } },
      { recipe: { ...recipe, schedule: { ...recipe.schedule, learningRate: 0.003 } } },
      { surrogate: { ...surrogate, height: 1 } },
      { neuron: { ...neuron, threshold: 2 } },
    ]
    expect(new Set([job!.hash, ...changes.map(identity)]).size).toBe(changes.length + 1)
  })
  it('does not change with the names it goes by', () => {
    const renamed = { ...experimentNamed('neurons-mnist'), name: 'other', neurons: { quadratic: NEURONS.qif } }
    const surroundings = { data: job!.settings.data, inputShape: [1, 28, 28], kernel: 'scalar' } as const
    const [other] = gridOf(withBudget(renamed, { epochs: 2, trainSamples: 1000 }), 1, surroundings)
    const qif = jobsOf('neurons-mnist', 1).find(({ cell }) => cell.neuron === 'qif')!
    expect(other!.hash).toBe(qif.hash)
    const twice = { ...experimentNamed('neurons-mnist'), neurons: { qif: NEURONS.qif, quadratic: NEURONS.qif } }
    expect(() => gridOf(twice, 1, surroundings)).toThrow(/"neurons-mnist: quadratic, analytic, seed 1" is another one/)
  })
})

describe('the experiments', () => {
  it('ask what was to be answered', () => {
    for (const { name, neurons, surrogates } of EXPERIMENTS) {
      expect(Object.keys(neurons), name).toEqual(expect.arrayContaining(['lif', 'qif']))
      expect(surrogates.analytic, name).toBe('analytic')
      const hand = Object.values(surrogates).filter((s) => s !== 'analytic' && s.kind === 'rectangle')
      if (name.startsWith('windows')) expect(hand.length, name).toBeGreaterThanOrEqual(3)
    }
    expect(new Set(EXPERIMENTS.map(({ name }) => name)).size).toBe(EXPERIMENTS.length)
  })
  it('warm up for less where they are cut short', () => {
    const experiment = experimentNamed('neurons-mnist')
    expect(withBudget(experiment, {})).toEqual(experiment)
    const short = withBudget(experiment, { epochs: 1, trainSamples: 640 })
    expect(short).toMatchObject({ trainSamples: 640, recipe: { epochs: 1, schedule: { warmupSteps: 1 } } })
  })
})
