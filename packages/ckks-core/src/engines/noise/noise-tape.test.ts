import { describe, expect, it } from 'vitest'
import { InvalidArgumentError } from '../../errors/errors.ts'
import { GaussianSource } from './gaussian.ts'
import { NoiseTape, type TapeStep } from './noise-tape.ts'

const SAMPLES = 64
const angles = Float64Array.from({ length: SAMPLES }, (_, i) => ((i + 0.5) * Math.PI) / SAMPLES)
const nodes = angles.map(Math.cos)
const meanSquare = (values: Float64Array) => values.reduce((a, v) => a + v * v, 0) / values.length

/** 2 a^2 - 1. */
const doubled = (tape: NoiseTape, a: TapeStep) => tape.combine([{ step: tape.products([[a, a]]), re: 2, im: 0 }], -1)

describe('NoiseTape', () => {
  it('knows that an error on two paths is one error', () => {
    const tape = new NoiseTape(2)
    const x = tape.input(Float64Array.of(1, 2), 0.1)
    const y = tape.input(Float64Array.of(1, 2), 0.1)
    const sum = (a: TapeStep, b: TapeStep, sign: number) =>
      tape.error(
        tape.combine([
          { step: a, re: 1, im: 0 },
          { step: b, re: sign, im: 0 },
        ]),
      )
    expect(sum(x, x, 1)).toBeCloseTo(0.2, 12)
    expect(sum(x, x, -1)).toBe(0)
    expect(sum(x, y, -1)).toBeCloseTo(0.1 * Math.SQRT2, 12)
  })

  it('differentiates Chebyshev elements as the analytic formula does', () => {
    const tape = new NoiseTape(SAMPLES)
    const x = tape.input(nodes, 1e-6)
    let t = x
    for (let power = 2; power <= 32; power *= 2) {
      t = doubled(tape, t)
      // T_n' = n sin(n a) / sin a
      const slope = angles.map((a) => (power * Math.sin(power * a)) / Math.sin(a))
      const want = Math.sqrt(meanSquare(slope))
      expect(tape.gain(t, x) / want).toBeCloseTo(1, 9)
      expect(tape.error(t) / (1e-6 * want)).toBeCloseTo(1, 9)
      expect(tape.magnitude(t)).toBeCloseTo(Math.sqrt(meanSquare(angles.map((a) => Math.cos(power * a)))), 9)
    }
    expect(tape.gain(x, t)).toBe(0)
  })

  it('agrees with simulated errors of every step, complex constants and values included', () => {
    const source = new GaussianSource(7)
    const error = () => ({ re: source.next() * Math.SQRT1_2, im: source.next() * Math.SQRT1_2 })
    type C = { re: number; im: number }
    const mul = (a: C, b: C) => ({ re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re })
    const add = (a: C, b: C, by = 1) => ({ re: a.re + by * b.re, im: a.im + by * b.im })
    const factor = { re: 0.5, im: -1.5 }
    const im = angles.map(Math.sin)

    // y = f (x^2 + e1) + x (f off by r), z = y x + e2
    const tape = new NoiseTape(SAMPLES)
    const x = tape.input({ re: nodes, im }, 1e-4)
    const square = tape.disturb(tape.products([[x, x]]), 3e-4)
    const y = tape.combine(
      [
        { step: square, ...factor },
        { step: x, re: 1, im: 0, rounding: 2e-4 },
      ],
      0.25,
    )
    const z = tape.disturb(tape.products([[y, x]]), 1e-4)

    let sum = 0
    const runs = 3000
    for (let run = 0; run < runs; run++) {
      const wrong = 2e-4 * source.next()
      for (let i = 0; i < SAMPLES; i++) {
        const circuit = (noise: number) => {
          const v = add({ re: nodes[i]!, im: im[i]! }, error(), 1e-4 * noise)
          const s = add(mul(v, v), error(), 3e-4 * noise)
          const w = add(add(mul(s, factor), v, 1 + wrong * noise), { re: 0.25, im: 0 })
          return add(mul(w, v), error(), 1e-4 * noise)
        }
        const d = add(circuit(1), circuit(0), -1)
        sum += d.re ** 2 + d.im ** 2
      }
    }
    expect(Math.sqrt(sum / runs / SAMPLES) / tape.error(z)).toBeCloseTo(1, 1)
    expect(tape.values(z).re[3]).toBeCloseTo(
      (() => {
        const v = { re: nodes[3]!, im: im[3]! }
        return mul(add(add(mul(mul(v, v), factor), v), { re: 0.25, im: 0 }), v).re
      })(),
      12,
    )
  })

  it('weights its samples', () => {
    const tape = new NoiseTape(2, Float64Array.of(3, 9))
    const x = tape.input(Float64Array.of(1, 2), 0.1)
    const square = tape.products([[x, x]])
    expect(tape.magnitude(x)).toBeCloseTo(Math.sqrt(0.25 + 0.75 * 4), 12)
    expect(tape.gain(square, x)).toBeCloseTo(Math.sqrt(0.25 * 4 + 0.75 * 16), 12)
    expect(tape.error(square)).toBeCloseTo(0.1 * Math.sqrt(0.25 * 4 + 0.75 * 16), 12)
    for (const weights of [[1], [0, 0], [1, -1], [1, Number.NaN]])
      expect(() => new NoiseTape(2, Float64Array.from(weights))).toThrow(/weights/)
  })

  it('refuses what makes no sense', () => {
    expect(() => new NoiseTape(0)).toThrow(InvalidArgumentError)
    const tape = new NoiseTape(2)
    expect(() => tape.input(Float64Array.of(1))).toThrow(/expected 2 samples/)
    expect(() => tape.input(Float64Array.of(1, 2), -1)).toThrow(/not negative/)
    expect(() => tape.disturb(tape.input(Float64Array.of(1, 2)), Number.NaN)).toThrow(/finite/)
    expect(() => tape.error(5 as TapeStep)).toThrow(/no step 5/)
  })
})
