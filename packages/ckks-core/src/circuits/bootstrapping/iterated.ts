/**
 * More precision than one bootstrap has, by a second one for the error of the first (Meta-BTS, Bae, Cheon, Cho, Kim and Kim,
 * ePrint 2022/1167). What the first got wrong is the difference to what went in: small, so it can be multiplied by 2^k without
 * leaving the range, bootstrapped, and divided by 2^k together with the second bootstrap's own error.
 */
import { NoiseModel } from '../../engines/noise/noise-model.ts'
import { InvalidArgumentError, LevelError } from '../../errors/errors.ts'
import type { Evaluator } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import type { Scale } from '../../port/quantities.ts'
import { scope } from '../scope.ts'
import { toLevel } from '../to-level.ts'
import type { BootstrapOptions, PreparedBootstrapping } from './prepared-bootstrapping.ts'

/** Options of an iterated bootstrap. */
export interface IteratedOptions extends Pick<BootstrapOptions, 'range'> {
  /**
   * k: bits by which the error is enlarged before the second bootstrap. An error above range x 2^-k would leave the range
   * and spoil the result, so stay a few bits below the worst slot's precision. Default 10.
   */
  readonly gainBits?: number
}

/**
 * Two bootstraps for one ciphertext, k bits more precise than one, as far as the scale of the result allows. Takes one level
 * more on both sides: the input must be at `inputLevel + 1` or above, the result is at `outputLevel - 1`, at nominal scale.
 *
 * @throws LevelError below that level; InvalidArgumentError for gainBits out of range; whatever `bootstrap` throws
 */
export function bootstrapIterated(
  engine: Evaluator,
  prepared: PreparedBootstrapping,
  a: Ciphertext,
  options: IteratedOptions = {},
): Ciphertext {
  const { gainBits = 10, range = 1 } = options
  const { parameters, inputLevel } = prepared.circuit
  if (!Number.isInteger(gainBits) || gainBits < 1 || gainBits > 40)
    throw new InvalidArgumentError(`bootstrapIterated: gainBits must be an integer from 1 to 40, got ${gainBits}`)
  const level = inputLevel + 1
  if (a.level < level)
    throw new LevelError(`bootstrapIterated: expected level >= ${level}, got ${a.level}: bootstrap earlier`)
  const gain = dividingGain(2 ** gainBits, lastScale(prepared))
  return scope((use) => {
    const input = use(toLevel(engine, a, level))
    const first = use(prepared.bootstrap(engine, input, { range }))
    // both times the gain at one common scale: the rescaling that follows rounds the enlarged error, not the values
    const product = parameters.scaleAt(inputLevel) * parameters.groupProduct(level)
    const dropped = use(engine.dropLevel(first, level))
    const [wanted, got] = [input, dropped].map((x) => use(engine.mulScalar(x, gain, product / x.scale)))
    const error = use(engine.rescale(use(engine.sub(wanted!, got!))))
    declareEnlarged(engine, { input, first, error, gain })
    const correction = use(prepared.bootstrap(engine, error, { range }))
    const sum = use(engine.add(use(engine.mulInteger(first, gain)), correction))
    const result = use(engine.rescale(use(engine.mulScalar(sum, 1 / gain))))
    declareErrors(engine, { input, correction, result, gain })
    return result
  })
}

/** Scale of the constant that the sum is multiplied by at the end. */
function lastScale({ circuit: { parameters, outputLevel } }: PreparedBootstrapping): Scale {
  return (parameters.groupProduct(outputLevel) * parameters.scaleAt(outputLevel - 1)) / parameters.scaleAt(outputLevel)
}

/** Gains tried beside the one asked for. */
const CANDIDATES = 1024

/**
 * An integer near `wanted` whose inverse is nearly a multiple of 1 / scale: the constant 1 / gain has only log2(scale) - k bits,
 * and its rounding would be an error of the whole result.
 */
function dividingGain(wanted: number, scale: Scale): number {
  let best = wanted
  let least = Number.POSITIVE_INFINITY
  for (let gain = wanted; gain < wanted + Math.min(wanted, CANDIDATES); gain++) {
    const constant = scale / gain
    const rounding = Math.abs(Math.round(constant) / constant - 1)
    if (rounding >= least) continue
    least = rounding
    best = gain
  }
  return best
}

interface Enlarged {
  readonly input: Ciphertext
  readonly first: Ciphertext
  readonly error: Ciphertext
  readonly gain: number
}

/** What the first bootstrap got wrong is a value here, not an error. */
function declareEnlarged(engine: Evaluator, { input, first, error, gain }: Enlarged): void {
  const [before, after] = [engine.estimate?.(input), engine.estimate?.(first)]
  if (!before || !after) return
  engine.declareMagnitude?.(error, after.error * gain)
  engine.declareError?.(error, Math.hypot(before.error * gain, rounding(engine, error)))
}

interface Corrected {
  readonly input: Ciphertext
  readonly correction: Ciphertext
  readonly result: Ciphertext
  readonly gain: number
}

/** The first bootstrap's error cancels out: what is left is the second one's over the gain, and rounding. */
function declareErrors(engine: Evaluator, { input, correction, result, gain }: Corrected): void {
  const [before, last] = [engine.estimate?.(input), engine.estimate?.(correction)]
  if (!before || !last) return
  engine.declareMagnitude?.(result, before.magnitude)
  engine.declareError?.(result, Math.hypot(last.error / gain, rounding(engine, result)))
}

/** Rounding by a rescale. */
const rounding = (engine: Evaluator, { scale }: Ciphertext): number =>
  new NoiseModel(engine.parameters).rescale() / scale
