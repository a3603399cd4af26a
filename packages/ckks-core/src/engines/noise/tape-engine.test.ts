import { describe, expect, it } from 'vitest'
import { evaluateChebyshev } from '../../circuits/polynomial/index.ts'
import { UnsupportedError } from '../../errors/errors.ts'
import type { Evaluator } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import { testParameters } from '../../testing/test-parameters.ts'
import { createClearEngine } from '../clear/index.ts'
import { NoiseModel } from './noise-model.ts'
import { TapeEngine } from './tape-engine.ts'

/** y -> 2 y^2 - 1. */
function doubleAngle(engine: Evaluator, y: Ciphertext): Ciphertext {
  const square = engine.relinearize(engine.square(y))
  return engine.rescale(engine.addScalar(engine.add(square, square), -1))
}

/** cos(13 x / 8) doubled three times: cos(13 x), as bootstrapping evaluates it. */
function cosine(engine: Evaluator, x: Ciphertext): Ciphertext {
  const half = Array.from({ length: 15 }, (_, k) => chebyshevCoefficient((t) => Math.cos((13 / 8) * t), k))
  let y = evaluateChebyshev(engine, x, half)
  for (let i = 0; i < 3; i++) y = doubleAngle(engine, y)
  return y
}

function chebyshevCoefficient(f: (x: number) => number, k: number): number {
  const n = 64
  let sum = 0
  for (let i = 0; i < n; i++) {
    const angle = ((i + 0.5) * Math.PI) / n
    sum += f(Math.cos(angle)) * Math.cos(k * angle)
  }
  return ((k === 0 ? 1 : 2) * sum) / n
}

describe.each(testParameters)('TapeEngine, %s', (_, parameters) => {
  const slots = parameters.maxSlots
  const x = Float64Array.from({ length: slots }, (_, i) => Math.cos(i * 1.7) * Math.cos(i * 0.31))

  const compare = (circuit: (engine: Evaluator, x: Ciphertext) => Ciphertext) => {
    const exact = createClearEngine(parameters)
    const noisy = createClearEngine(parameters, { noise: { seed: 11 } })
    const want = exact.readClear(circuit(exact, exact.encryptClear(x)))
    const got = noisy.readClear(circuit(noisy, noisy.encryptClear(x)))
    let sum = 0
    for (let i = 0; i < slots; i++) sum += (got.re[i]! - want.re[i]!) ** 2 + (got.im[i]! - want.im[i]!) ** 2
    const tape = new TapeEngine(parameters, slots)
    const input = tape.input(x, { error: new NoiseModel(parameters).fresh() / parameters.scale })
    const result = circuit(tape, input)
    expect(tape.values(result).re[5]).toBeCloseTo(want.re[5]!, 9)
    return Math.log2(Math.sqrt(sum / slots) / tape.error(result))
  }

  it('predicts the error of a cosine with three doublings within a quarter of a bit', () => {
    expect(Math.abs(compare(cosine))).toBeLessThan(0.25)
  })

  it('predicts errors of all slot-wise operations', () => {
    const circuits: ((e: Evaluator, x: Ciphertext) => Ciphertext)[] = [
      (e, x) => e.sub(e.add(x, x), e.mulInteger(x, 3)),
      (e, x) => e.negate(e.mulByI(e.sum([x, x, x]))),
      (e, x) => e.rescale(e.mulScalar(x, { re: 1 / 3, im: -1 / 7 })),
      (e, x) => e.rescale(e.mulScalar(x, Math.PI, 1000)),
      (e, x) =>
        e.rescale(
          e.relinearize(
            e.mulAccumulate([
              [x, e.mulByI(x)],
              [x, x],
            ]),
          ),
        ),
      (e, x) => e.rescale(e.mul(x, e.dropLevel(e.addScalar(x, 1), x.level))),
      (e, x) => e.rescale(e.mulScalar(e.conjugate(e.mulByI(x)), { re: 0.3, im: 0.4 })),
      // errors of the imaginary part vanish
      (e, x) => {
        const half = e.rescale(e.mulScalar(e.rescale(e.relinearize(e.square(x))), { re: 0.5, im: -0.25 }))
        return e.rescale(e.square(e.add(half, e.conjugate(half))))
      },
    ]
    for (const circuit of circuits) expect(Math.abs(compare(circuit))).toBeLessThan(0.25)
  })

  it('says what it cannot follow', () => {
    const tape = new TapeEngine(parameters, 4)
    const input = tape.input(new Float64Array(4))
    expect(() => tape.rotate(input, 1)).toThrow(UnsupportedError)
    expect(() => tape.encode(new Float64Array(4), { level: 1, scale: 2 ** 30 })).toThrow(UnsupportedError)
    expect(() => tape.error(new TapeEngine(parameters, 4).input(new Float64Array(4)))).toThrow(/this tape engine/)
  })
})
