import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Reals } from '@he-ml/float-kernels'
import { createNeuron } from '@he-ml/model/spiking'
import { describe, expect, it } from 'vitest'
import { directCoding, eventFrames } from '../coding/input-coding.ts'
import { createNeuronKernel } from '../neuron/neuron-kernel.ts'
import { neurons, referenceStep } from '../testing.test-helper.ts'
import { createReadout, type Readout } from './readout.ts'
import { runTimeSteps, type SpikingStage, type StageActivity } from './run-time-steps.ts'

/** A linear layer with fixed pseudo-random weights that counts its calls. */
function linear(inputs: number, outputs: number) {
  const calls = { count: 0 }
  const synapse = (x: Reals) => {
    calls.count++
    return Float64Array.from({ length: outputs }, (_, o) =>
      [...x].reduce((sum, v, i) => sum + v * Math.sin(1 + 3 * o + 7 * i), 0),
    )
  }
  expect(synapse(new Float64Array(inputs)).length).toBe(outputs)
  calls.count = 0
  return { synapse, calls }
}

describe('runTimeSteps', () => {
  it.each(neurons)('two layers of %s are the reference loop', (_, neuron) => {
    const timeSteps = 6
    const [first, second] = [linear(3, 8), linear(8, 4)]
    const kernel = createNeuronKernel(neuron)
    const stages = [first, second].map(({ synapse }) => ({ synapse, kernel }))
    const x = Float64Array.of(0.9, -0.4, 0.6)
    const seen: number[][] = []
    const got = runTimeSteps(stages, directCoding(x, timeSteps), {
      readout: 'spikeCount',
      observe: ({ stage, charged }) => seen.push([stage, ...charged]),
    })
    const potentials = [new Float64Array(8), new Float64Array(4)]
    const counts = new Float64Array(4)
    const want: number[][] = []
    for (let t = 0; t < timeSteps; t++) {
      let values: Reals = x
      for (const [stage, u] of potentials.entries()) {
        const driven: number[] = [...stages[stage]!.synapse(values)]
        const out = driven.map((v, i) => referenceStep(neuron, u[i]!, v))
        u.set(out.map((o) => o.membranePotential))
        want.push([stage, ...out.map((o) => o.charged)])
        values = Float64Array.from(out, (o) => o.spike)
      }
      for (let i = 0; i < 4; i++) counts[i]! += values[i]!
    }
    expect(got).toEqual(counts)
    expect(seen).toEqual(want)
  })

  it("computes a static input's first layer once, and the same for frames every time", () => {
    const kernel = createNeuronKernel(createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' }))
    const [first, second] = [linear(2, 3), linear(3, 2)]
    const stages: SpikingStage[] = [first, second].map(({ synapse }) => ({ synapse, kernel }))
    const x = Float64Array.of(0.7, 0.2)
    const once = runTimeSteps(stages, directCoding(x, 5), { readout: 'meanMembrane' })
    expect([first.calls.count, second.calls.count]).toEqual([1, 5])
    const repeated = eventFrames(
      Float64Array.from({ length: 10 }, (_, i) => x[i % 2]!),
      5,
    )
    expect(runTimeSteps(stages, repeated, { readout: 'meanMembrane' })).toEqual(once)
    expect([first.calls.count, second.calls.count]).toEqual([6, 10])
  })

  it('stops at what does not fit', () => {
    expect(() => runTimeSteps([], directCoding(new Float32Array(1), 1), { readout: 'spikeCount' })).toThrow(
      InvalidArgumentError,
    )
    const kernel = createNeuronKernel(neurons[0]![1])
    const growing = { synapse: (x: Reals) => new Float32Array(x[0]!), kernel }
    expect(() => runTimeSteps([growing], eventFrames(Float32Array.of(1, 2), 2), { readout: 'spikeCount' })).toThrow(
      /expected input like membranePotential/,
    )
  })
})

describe('readouts', () => {
  const kernel = createNeuronKernel(createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset: 'zero' }))
  const stage = { synapse: (x: Reals) => x, kernel }
  // charged: 0.5, 1.25, -0.5, 0.75
  const input = eventFrames(Float64Array.of(0.5, 1, -0.5, 1), 4)
  it.each([
    ['spikeCount', 1],
    ['meanMembrane', 0.5],
    ['lastMembrane', 0.75],
    ['maxMembrane', 1.25],
  ] as [Readout, number][])('%s', (readout, want) => {
    const charged: number[] = []
    const observe = (activity: StageActivity) => charged.push(activity.charged[0]!)
    expect(runTimeSteps([stage], input, { readout, observe })[0]).toBe(want)
    expect(charged).toEqual([0.5, 1.25, -0.5, 0.75])
  })
  it('of nothing is an error', () => {
    expect(() => createReadout('spikeCount').result()).toThrow(/no time step/)
  })
})
