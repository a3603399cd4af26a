/**
 * Telling an engine that estimates how large the error of a slot-wise circuit really is. The plan engine adds errors up step
 * by step; here the same circuit is recorded on a noise tape, at samples of its input, and the result's error and magnitude
 * are declared by what the tape says.
 */
import type { AnyParameters } from '../../parameters/parameters.ts'
import type { Evaluator } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import { type SlotValues, toComplex } from '../../port/slot-values.ts'
import { defaultSamples, type Samples } from './samples.ts'
import { TapeEngine } from './tape-engine.ts'

/** Sums, products, squares, constants, rescaling: no rotations. Reads its input, returns a new handle. */
export type SlotwiseCircuit = (engine: Evaluator, input: Ciphertext) => Ciphertext

/** How the error of a circuit's result comes about. */
export interface CircuitResponse {
  /** Factor by which an error of the input arrives: the root mean square of the derivative. */
  readonly gain: number
  /** Root mean square of what the circuit's own steps add. */
  readonly added: number
  /** Root mean square of the result. */
  readonly magnitude: number
}

/** Options of {@link runPredicted}. */
export interface PredictOptions {
  /** Typical values of the input, any number of them. Default: {@link defaultSamples}, whose weights come with them. */
  readonly samples?: SlotValues
  /** How often each sample occurs, in any unit. Default: all equally often. */
  readonly weights?: Float64Array
  /**
   * Objects that determine the circuit together with `numbers` and its input's level, scale, period and degree, such as its
   * polynomials: predictions for them are remembered, and engines may count what they know without running it (`Evaluator.repeat`),
   * for a network evaluates the same activation on many ciphertexts in a row.
   */
  readonly identity?: readonly object[]
  /** Numbers that determine it too, such as the scale wanted of the result. */
  readonly numbers?: readonly number[]
}

/** Records a circuit whose input stands at this level and scale. Takes time in proportion to steps times samples. */
export function recordCircuit(
  parameters: AnyParameters,
  at: { readonly level: number; readonly scale: number },
  { values, weights }: Samples,
  circuit: SlotwiseCircuit,
): CircuitResponse {
  const tape = new TapeEngine(parameters, toComplex(values).re.length, weights)
  // the input's own error counts in the gain
  const input = tape.input(values, { level: at.level, scale: at.scale })
  const result = circuit(tape, input)
  return { gain: tape.gain(result, input), added: tape.error(result), magnitude: tape.magnitude(result) }
}

interface Memory {
  readonly identity: readonly object[]
  readonly parameters: AnyParameters
  readonly samples: Samples
  /** Level and scale of the input and of the result. */
  readonly ends: readonly number[]
  readonly response: CircuitResponse
}

/** The last prediction by the first of the identity's objects. */
const memories = new WeakMap<object, Memory>()

/**
 * Runs a slot-wise circuit. Where the engine estimates errors, the estimate of the result becomes the one that follows every
 * error through the whole circuit (docs/notes/noise-model.md); on other engines nothing else happens.
 *
 * @returns what the circuit returns
 * @throws whatever the circuit throws; UnsupportedError, on an engine that estimates, for a circuit with rotations
 * @example
 * ```ts
 * import { createParameters, createPlanEngine, runPredicted } from '@he-ml/ckks-core'
 * const engine = createPlanEngine(createParameters({ logN: 14, levels: 5, scaleBits: 36, dnum: 3 }))
 * const samples = Float64Array.of(-0.5, -0.1, 0, 0.1, 0.5)
 * const y = runPredicted(engine, engine.input(), (e, x) => e.rescale(e.relinearize(e.square(x))), { samples })
 * console.log(engine.estimate(y).precisionBits)
 * ```
 */
export function runPredicted(
  engine: Evaluator,
  input: Ciphertext,
  circuit: SlotwiseCircuit,
  options: PredictOptions = {},
): Ciphertext {
  const { identity = [], numbers = [] } = options
  const work = (): Ciphertext => circuit(engine, input)
  const repeated = identity.length > 0 ? engine.repeat?.({ objects: identity, numbers }, input, work) : undefined
  const result = repeated ?? work()
  const estimate = engine.estimate?.(input)
  if (!estimate) return result
  const { parameters } = engine
  const samples = options.samples
    ? { values: options.samples, ...(options.weights && { weights: options.weights }) }
    : defaultSamples()
  const ends = [input.level, input.scale, result.level, result.scale]
  const known = identity[0] && memories.get(identity[0])
  const fits =
    known?.parameters === parameters &&
    sameItems(known.identity, identity) &&
    sameItems(known.ends, ends) &&
    sameSamples(known.samples, samples)
  const response = fits ? known.response : recordCircuit(parameters, input, samples, circuit)
  if (identity[0])
    memories.set(identity[0], { identity: [...identity], parameters, samples: copyOf(samples), ends, response })
  engine.declareMagnitude?.(result, response.magnitude)
  engine.declareError?.(result, Math.hypot(response.gain * estimate.error, response.added))
  return result
}

const sameItems = (a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

const NO_HALF = new Float64Array(0)

/** By their values, for whoever passes samples may reuse the array. */
const sameSamples = (a: Samples, b: Samples): boolean => {
  const [x, y] = [toComplex(a.values), toComplex(b.values)]
  return (
    sameItems(x.re, y.re) &&
    sameItems(x.im ?? NO_HALF, y.im ?? NO_HALF) &&
    sameItems(a.weights ?? NO_HALF, b.weights ?? NO_HALF)
  )
}

const copyOf = ({ values, weights }: Samples): Samples => {
  const { re, im } = toComplex(values)
  return { values: im ? { re: re.slice(), im: im.slice() } : re.slice(), ...(weights && { weights: weights.slice() }) }
}
