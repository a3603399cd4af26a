import { InvalidArgumentError } from '../../errors/errors.ts'
import type { Encoder, Evaluator } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import type { Scale } from '../../port/quantities.ts'
import { doubledParts, doubledRealPart, joinParts } from '../complex-parts.ts'
import { scope } from '../scope.ts'
import { toLevel } from '../to-level.ts'
import type { BootstrappingCircuit } from './bootstrapping-circuit.ts'
import { arcsineDegree } from './bootstrapping-spec.ts'
import { ANGLE_BOUND, ANGLE_SHIFT, createEvalMod, type EvalMod, evaluateEvalMod } from './eval-mod.ts'
import { type PreparedRaise, prepareRaise, raisedMagnitude } from './prepared-raise.ts'
import type { RefreshFunction } from './refresh-function.ts'
import { assertTravellers } from './travellers.ts'

/** Options of `Bootstrapping.prepare`. */
export interface PrepareBootstrappingOptions {
  /** Ranges of values that will be bootstrapped: |real part| and |imaginary part| at most this. Default [1]. */
  readonly ranges?: readonly number[]
  /**
   * Functions that a bootstrap may name, to have their values in place of the values themselves: at every range, by polynomials of
   * the degree `arcsine` of the spec. Default none.
   */
  readonly functions?: readonly RefreshFunction[]
  /** Stops the encoding with CancelledError. */
  readonly signal?: AbortSignal
  /** After each encoded matrix. */
  readonly onProgress?: (done: number, total: number) => void
}

/** Options of one bootstrap. */
export interface BootstrapOptions {
  /** One of the ranges it was prepared for. Default 1. */
  readonly range?: number
  /** Name of one of the functions it was prepared for: its values come out. Default: the values themselves. */
  readonly apply?: string
}

/** Encodes the matrices of a circuit. */
export async function prepareBootstrapping(
  circuit: BootstrappingCircuit,
  engine: Encoder & Evaluator,
  options: PrepareBootstrappingOptions,
): Promise<PreparedBootstrapping> {
  const { ranges = [1], functions = [], ...rest } = options
  checkFunctions(circuit, functions, ranges)
  const { parameters, spec } = circuit
  const { slots, coeffsToSlots, slotsToCoeffs, shortKeys = false } = spec
  const shape = {
    ...{ parameters, slots, coeffsToSlots, slotsToCoeffs, shortKeys },
    messageScale: messageScale(circuit),
    bound: ANGLE_BOUND,
  }
  const raise = await prepareRaise(shape, engine, { ranges, ...rest })
  const evalMods = new Map<string, EvalMod>()
  for (const range of ranges)
    for (const apply of [undefined, ...functions])
      evalMods.set(evalModKey(range, apply?.name), createEvalMod(spec, range, apply))
  return new PreparedBootstrapping(circuit, raise, evalMods)
}

const evalModKey = (range: number, name?: string): string => (name === undefined ? `${range}` : `${range} ${name}`)

/** Values of a range at which a function is tried. */
const TRIED = 64

function checkFunctions(
  { spec }: BootstrappingCircuit,
  functions: readonly RefreshFunction[],
  ranges: readonly number[],
): void {
  if (functions.length > 0 && arcsineDegree(spec) === 0)
    throw new InvalidArgumentError(
      'bootstrapping: this circuit has no polynomial after the sine to evaluate functions by: set arcsine in its spec',
    )
  const names = functions.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new InvalidArgumentError(`bootstrapping: two functions are called '${twice}'`)
  for (const { name, at } of functions)
    for (const range of ranges)
      for (let i = -TRIED; i <= TRIED; i++) {
        const value = (range * i) / TRIED
        if (!Number.isFinite(at(value)))
          throw new InvalidArgumentError(`bootstrapping: the function '${name}' is ${at(value)} at ${value}`)
      }
}

/** Scale of the message between slotsToCoeffs and modRaise. */
function messageScale({ parameters, spec }: BootstrappingCircuit): Scale {
  return parameters.groupProduct(0) / 2 ** spec.logMessageRatio
}

/** A circuit with its matrices encoded; belongs to the engine that encoded them. */
export class PreparedBootstrapping implements Disposable {
  /** What was prepared. */
  readonly circuit: BootstrappingCircuit
  readonly #raise: PreparedRaise
  readonly #evalMods: ReadonlyMap<string, EvalMod>

  /** @internal use `Bootstrapping.prepare` */
  constructor(circuit: BootstrappingCircuit, raise: PreparedRaise, evalMods: ReadonlyMap<string, EvalMod>) {
    this.circuit = circuit
    this.#raise = raise
    this.#evalMods = evalMods
  }

  /**
   * Refreshes a ciphertext: `outputLevel`, nominal scale, the same values up to the circuit's precision (relative to the
   * range). With real content the imaginary parts are lost. The input is only read.
   *
   * @throws LevelError below `inputLevel`; MissingKeyError; InvalidArgumentError for a longer period, an unknown range or function
   */
  bootstrap(engine: Evaluator, a: Ciphertext, options: BootstrapOptions = {}): Ciphertext {
    return this.bootstrapTogether(engine, [[a]], options)[0]![0]!
  }

  /**
   * Refreshes two ciphertexts of real values for the price of one: they travel as one complex ciphertext.
   * @throws as `bootstrap`, and InvalidArgumentError for real content
   */
  bootstrapPair(
    engine: Evaluator,
    a: Ciphertext,
    b: Ciphertext,
    options: BootstrapOptions = {},
  ): [Ciphertext, Ciphertext] {
    return this.bootstrapTogether(engine, [[a, b]], options)[0] as [Ciphertext, Ciphertext]
  }

  /**
   * Several bootstraps in lock step: the same results as one after the other, to the bit, for less time, because keys and matrices
   * are read from memory once for all. The working memory is that of as many bootstraps.
   *
   * @param travellers one ciphertext each, as in `bootstrap`, or two of real values, as in `bootstrapPair`; at least one
   * @returns of each its refreshed ones
   * @throws as these do
   */
  bootstrapTogether(
    engine: Evaluator,
    travellers: readonly (readonly [Ciphertext, Ciphertext?])[],
    options: BootstrapOptions = {},
  ): Ciphertext[][] {
    const { spec, inputLevel } = this.circuit
    assertTravellers(travellers, 'bootstrapTogether')
    if (spec.content === 'real' && travellers.some(([, b]) => b))
      throw new InvalidArgumentError('bootstrapPair: the circuit was made for real content: use content complex')
    const evalMod = this.#evalMod(options)
    const messages = travellers.map((pair) =>
      relativeSize(
        pair.map((x) => x && engine.estimate?.(x)?.magnitude),
        options,
      ),
    )
    const fresh = scope((use) => {
      const joined = travellers.map(([a, b]) =>
        b ? use(joinParts(engine, use(toLevel(engine, a, inputLevel)), use(toLevel(engine, b, inputLevel)))) : a,
      )
      const raised = this.#raise.raiseTogether(engine, joined, options.range ?? 1).map((one) => use(one))
      return raised.flatMap((one, i) => {
        const apart = travellers[i]![1] !== undefined
        return this.#finish(engine, one, { evalMod, apart, message: messages[i] }).map((result) => use(result))
      })
    })
    let taken = 0
    return travellers.map(([, b]) => {
      const length = b ? 2 : 1
      taken += length
      return fresh.slice(taken - length, taken)
    })
  }

  /** Gives the matrices back. */
  dispose(): void {
    this.#raise.dispose()
  }
  [Symbol.dispose](): void {
    this.dispose()
  }

  #evalMod({ range = 1, apply }: BootstrapOptions): EvalMod {
    this.#raise.assertRange(range)
    const found = this.#evalMods.get(evalModKey(range, apply))
    if (!found) throw new InvalidArgumentError(`bootstrapping: it was not prepared for a function '${apply}'`)
    return found
  }

  /** evalMod of both halves: real content has one, a pair's stay apart. */
  #finish(engine: Evaluator, raised: Ciphertext, { evalMod, apart, message }: Finish): Ciphertext[] {
    return scope((use) => {
      if (this.circuit.spec.content === 'real')
        return [evaluateEvalMod(engine, use(shifted(engine, use(doubledRealPart(engine, raised)))), evalMod, message)]
      const parts = doubledParts(engine, raised)
      const [real, imaginary] = [use(parts.real), use(parts.imaginary)].map((part) =>
        use(evaluateEvalMod(engine, use(shifted(engine, part)), evalMod, message)),
      )
      return apart ? [real!, imaginary!] : [joinParts(engine, real!, imaginary!)]
    })
  }
}

/** How a bootstrap ends. */
interface Finish {
  readonly evalMod: EvalMod
  /** Whether both halves are wanted on their own. */
  readonly apart: boolean
  /** Root mean square of the values in units of the range, where that is known. */
  readonly message: number | undefined
}

/** The largest estimated size in units of the range; undefined on engines that do not estimate. */
function relativeSize(
  magnitudes: readonly (number | undefined)[],
  { range = 1 }: BootstrapOptions,
): number | undefined {
  const known = magnitudes.filter((m) => m !== undefined)
  return known.length === 0 ? undefined : Math.max(...known) / range
}

/** y = x - 1/4, in units of ANGLE_BOUND. */
function shifted(engine: Evaluator, part: Ciphertext): Ciphertext {
  const result = engine.addScalar(part, -ANGLE_SHIFT / ANGLE_BOUND)
  engine.declareMagnitude?.(result, raisedMagnitude(ANGLE_BOUND))
  return result
}
