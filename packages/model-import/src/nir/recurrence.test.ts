import { InvalidArgumentError } from '@he-ml/ckks-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type NirLif, neuronConstants, neuronRecurrence } from '../index.ts'

const one = (value: number) => ({ shape: [1], data: [value] })
const lif = (tau: number, r: number, leak: number): NirLif => ({
  type: 'LIF',
  tau: one(tau),
  r: one(r),
  v_leak: one(leak),
  v_threshold: one(1),
  v_reset: one(0),
})

describe('tau to beta', () => {
  it('exactly: many small Euler steps of the differential equation end where one step of the recurrence does', () => {
    const [tau, r, leak, dt, input] = [0.02, 3, 0.25, 0.005, 0.7]
    const { beta, gain, offset } = neuronRecurrence(lif(tau, r, leak), { dt, method: 'exact' })
    const steps = 1_000_000
    let v = -0.4
    for (let i = 0; i < steps; i++) v += (dt / steps / tau) * (leak - v + r * input)
    expect(beta.data[0]! * -0.4 + gain.data[0]! * input + offset.data[0]!).toBeCloseTo(v, 6)
  })

  it("by Euler's step: one step of the differential equation", () => {
    const { beta, gain, offset } = neuronRecurrence(lif(0.02, 3, 0.25), { dt: 0.005 })
    expect(beta.data[0]! * -0.4 + gain.data[0]! * 0.7 + offset.data[0]!).toBeCloseTo(
      -0.4 + (0.005 / 0.02) * (0.25 + 0.4 + 3 * 0.7),
      12,
    )
    const iF = { type: 'IF', r: one(3), v_threshold: one(1), v_reset: one(0) } as const
    expect(neuronRecurrence(iF, { dt: 0.5 })).toEqual({ beta: one(1), gain: one(1.5), offset: one(0) })
  })

  it('and back', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.double({ min: 1e-5, max: 1, noNaN: true }),
        fc.constantFrom('euler' as const, 'exact' as const),
        (beta, dt, method) => {
          const { tau, r } = neuronConstants(beta, { dt, method })
          const back = neuronRecurrence(lif(tau, r, 0), { dt, method })
          expect(back.beta.data[0]).toBeCloseTo(beta, 12)
          expect(back.gain.data[0]).toBeCloseTo(1, 10)
        },
      ),
    )
  })

  it('says what is wrong', () => {
    expect(() => neuronRecurrence(lif(0.01, 1, 0), { dt: 0 })).toThrow(InvalidArgumentError)
    expect(() => neuronRecurrence(lif(0.01, 1, 0), { dt: 0.02 })).toThrow(/below dt 0.02 s/)
    expect(() => neuronConstants(1, { dt: 0.01 })).toThrow(/use IF/)
    expect(() => neuronConstants(0.5, { dt: -1 })).toThrow(/dt above 0/)
  })
})
