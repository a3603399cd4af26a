import { approximate } from '@he-ml/activations'
import { type Ciphertext, createClearEngine, createParameters, createPlanEngine, LevelError } from '@he-ml/ckks-core'
import { createNeuron, type Neuron } from '@he-ml/model/spiking'
import { describe, expect, it } from 'vitest'
import { normalAt } from '../coding/counter-random.ts'
import { createNeuronKernel } from '../neuron/neuron-kernel.ts'
import { polynomialSpike } from '../neuron/spike-function.ts'
import { neurons } from '../testing.test-helper.ts'
import { forwardThroughTime } from '../training/through-time.ts'
import { advanceEncrypted, type EncryptedStep, polynomialStep } from './encrypted-neuron.ts'

const parameters = createParameters({ logN: 16, levels: 30, scaleBits: 40, dnum: 31 })
const SLOTS = 64
const TIME_STEPS = 3
const polynomial = approximate('sign', { range: [-6, 6], gap: 0.3, method: 'composite', degrees: [7, 13] })

describe.each(neurons)('encrypted %s', (_, neuron) => {
  const input = Float64Array.from({ length: TIME_STEPS * SLOTS }, (_, i) => 0.5 * normalAt(3, i))
  const want = forwardThroughTime(
    createNeuronKernel(neuron),
    polynomialSpike(neuron.threshold, polynomial),
    input,
    TIME_STEPS,
  )

  it('is the clear neuron with the same soft step, over three time steps', async () => {
    await using engine = createClearEngine(parameters)
    const step = polynomialStep(neuron.threshold, polynomial)
    let u: Ciphertext | undefined
    for (let t = 0; t < TIME_STEPS; t++) {
      using x = engine.encryptClear(input.slice(t * SLOTS, (t + 1) * SLOTS))
      const out = advanceEncrypted(engine, neuron, { ...(u ? { membranePotential: u } : {}), input: x }, step)
      const at = (values: ArrayLike<number>) => Array.from(values).slice(t * SLOTS, (t + 1) * SLOTS)
      for (const [name, handle, clear] of [
        ['charged', out.charged, want.charged],
        ['spike', out.spike, want.spikes],
        ['membrane', out.membranePotential, want.membranePotentials],
      ] as const) {
        const { re } = engine.readClear(handle)
        const worst = Math.max(...at(clear).map((v, i) => Math.abs(v - re[i]!)))
        expect(worst, `${name} at step ${t}`).toBeLessThan(1e-6)
      }
      u?.dispose()
      out.charged.dispose()
      out.spike.dispose()
      u = out.membranePotential
    }
    u!.dispose()
    expect(engine.memory().ciphertexts).toBe(0)
  })
})

describe('levels consumed', () => {
  const step = polynomialStep(1, polynomial)
  /** Levels of the three results below the membrane potential's, with an input `above` levels higher. */
  function levels(neuron: Neuron, above: number) {
    const engine = createPlanEngine(parameters)
    const membranePotential = engine.input({ level: 25, slots: SLOTS })
    const input = engine.input({ level: 25 + above, slots: SLOTS })
    const out = advanceEncrypted(engine, neuron, { membranePotential, input }, step)
    return [out.charged, out.spike, out.membranePotential].map((c) => 25 - c.level)
  }
  const lif = (reset: string, beta = 0.5) => createNeuron({ kind: 'lif', beta, threshold: 1, reset })
  const qif = (reset: string) => createNeuron({ kind: 'qif', a: 0.25, u1: 0, u2: 0.5, threshold: 1, reset })
  const d = step.depth
  it.each([
    // [neuron, levels the input has to spare, charged, spike, membrane potential]
    [lif('none'), 1, 0, d, 0],
    [lif('none'), 0, 1, 1 + d, 1],
    [lif('none', 1), 0, 0, d, 0],
    [lif('subtract'), 1, 0, d, d],
    [lif('subtract'), 0, 1, 1 + d, 1 + d],
    [lif('zero'), 1, 0, d, d + 1],
    [qif('none'), 1, 1, 1 + d, 1],
    [qif('none'), 0, 1, 1 + d, 1],
    [qif('subtract'), 1, 1, 1 + d, 1 + d],
    [qif('subtract'), 0, 1, 1 + d, 1 + d],
    [qif('zero'), 0, 1, 1 + d, 2 + d],
  ])('%o with %i spare levels: %i, %i, %i', (neuron, above, ...want) => {
    expect(levels(neuron, above)).toEqual(want)
  })

  it('a first step needs none for the charge', () => {
    const engine = createPlanEngine(parameters)
    const input = engine.input({ level: 25, slots: SLOTS })
    const neuron = createNeuron({ kind: 'qif', a: 0.5, u1: -0.5, u2: 0.5, threshold: 1, reset: 'none' })
    const out = advanceEncrypted(engine, neuron, { input }, step)
    expect([out.charged.level, out.spike.level, out.membranePotential.level]).toEqual([25, 25 - d, 25])
  })

  it('a quadratic neuron without reset keeps its scale in bounds over many steps', async () => {
    await using engine = createClearEngine(parameters)
    const neuron = qif('none')
    const none: EncryptedStep = { depth: 0, apply: (e, c) => e.dropLevel(c, c.level) }
    let u = engine.encryptClear(Float64Array.of(0.5, -1))
    const expected = [0.5, -1]
    for (let t = 0; t < 12; t++) {
      const out = advanceEncrypted(
        engine,
        neuron,
        { membranePotential: u, input: engine.encryptClear(Float64Array.of(1, -1)) },
        none,
      )
      for (const [i, x] of [1, -1].entries()) {
        expected[i] = 0.25 * expected[i]! * (expected[i]! - 0.5) + x
        expect(engine.readClear(out.charged).re[i]).toBeCloseTo(expected[i]!, 8)
      }
      expect(Math.abs(Math.log2(out.charged.scale / parameters.scaleAt(out.charged.level)))).toBeLessThan(18)
      u = out.membranePotential
    }
    expect(u.level).toBeGreaterThanOrEqual(30 - 12 - 3)
  })

  it('says when levels run out', async () => {
    await using engine = createClearEngine(parameters)
    const input = engine.encryptClear(Float64Array.of(1), { level: 3 })
    expect(() => advanceEncrypted(engine, lif('subtract'), { input }, step)).toThrow(LevelError)
  })
})

describe('polynomialStep', () => {
  it('takes a function that is the soft spike itself', async () => {
    await using engine = createClearEngine(parameters)
    const sigmoid = approximate('sigmoid', { range: [-4, 4], degree: 15 })
    const step = polynomialStep(1, sigmoid)
    const input = engine.encryptClear(Float64Array.of(1, 2))
    const spike = step.apply(engine, input)
    expect(input.level - spike.level).toBe(step.depth)
    const { re } = engine.readClear(spike)
    expect(re[0]).toBeCloseTo(0.5, 3)
    expect(re[1]).toBeCloseTo(1 / (1 + Math.exp(-1)), 2)
  })
})
