import { InvalidArgumentError, LevelError } from '../../errors/errors.ts'
import { RAISE_BOUND } from '../../parameters/ephemeral.ts'
import type { Encoder, Evaluator } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import { type PreparedRaise, prepareRaise, raisedMagnitude } from '../bootstrapping/prepared-raise.ts'
import { assertTravellers } from '../bootstrapping/travellers.ts'
import { doubledParts, doubledRealPart, joinParts } from '../complex-parts.ts'
import { Scope, scope } from '../scope.ts'
import { toLevel } from '../to-level.ts'
import { evaluateFunctions } from './evaluate-functions.ts'
import { createExponential } from './exponential.ts'
import type { FunctionalCircuit } from './functional-circuit.ts'
import type { PeriodicFunction } from './periodic-function.ts'
import { type FunctionalEstimate, type ObservedPoint, pointsOf, predictFunctions } from './predict-functions.ts'

/** Options of `FunctionalBootstrapping.prepare`. */
export interface PrepareFunctionalOptions {
  /** Periods of values, in their own units. Default [1]. */
  readonly periods?: readonly number[]
  /** Stops the encoding with CancelledError. */
  readonly signal?: AbortSignal
  /** After each encoded matrix. */
  readonly onProgress?: (done: number, total: number) => void
}

/** Options of one functional bootstrap. */
export interface EvaluateFunctionsOptions {
  /** One of the periods it was prepared for. Default 1. */
  readonly period?: number
  /** Values as they occur, in periods, for estimates. Default: the points of the first function that has a grid. */
  readonly points?: readonly ObservedPoint[]
  /** Told for each half of each ciphertext on engines that estimate errors. */
  readonly observe?: (estimate: FunctionalEstimate) => void
}

/** Between the transforms values are counted in this part of a period: a scale must stay below the modulus. */
const PARTS = 4

/** Encodes the matrices of a circuit. */
export async function prepareFunctionalBootstrapping(
  circuit: FunctionalCircuit,
  engine: Encoder & Evaluator,
  { periods = [1], ...rest }: PrepareFunctionalOptions,
): Promise<PreparedFunctionalBootstrapping> {
  const { parameters, spec } = circuit
  const { slots, coeffsToSlots, slotsToCoeffs, shortKeys = false } = spec
  const shape = {
    ...{ parameters, slots, coeffsToSlots, slotsToCoeffs, shortKeys },
    messageScale: parameters.groupProduct(0) / PARTS,
    bound: RAISE_BOUND,
    periodic: true,
  }
  return new PreparedFunctionalBootstrapping(
    circuit,
    await prepareRaise(shape, engine, {
      ranges: periods.map((period) => period / PARTS),
      ...rest,
    }),
  )
}

/** A circuit with its matrices encoded; belongs to the engine that encoded them. */
export class PreparedFunctionalBootstrapping implements Disposable {
  /** What was prepared. */
  readonly circuit: FunctionalCircuit
  readonly #raise: PreparedRaise

  /** @internal use `FunctionalBootstrapping.prepare` */
  constructor(circuit: FunctionalCircuit, raise: PreparedRaise) {
    this.circuit = circuit
    this.#raise = raise
  }

  /**
   * Functions of a ciphertext's slots, each a ciphertext at `outputLevel`, nominal scale. Values count in periods: what is a whole
   * period away is the same. With complex content the functions are applied to real and imaginary parts on their own; with real
   * content imaginary parts are lost. The input is only read.
   *
   * @throws LevelError below `inputLevel`, or for a function that takes more levels than the circuit has for them;
   *   MissingKeyError; InvalidArgumentError for a longer period of slots, a period of values that was not prepared, or no functions
   */
  evaluate(
    engine: Evaluator,
    a: Ciphertext,
    functions: readonly PeriodicFunction[],
    options: EvaluateFunctionsOptions = {},
  ): Ciphertext[] {
    return scope((use) => {
      const parts = this.#parts(engine, [a], options)[0]!.map((part) => use(part))
      const outputs = parts.map((part) => this.#evaluatePart(engine, part, functions, options).map((y) => use(y)))
      return functions.map((_, i) => {
        const [real, imaginary] = outputs.map((list) => list[i]!)
        return imaginary ? joinParts(engine, real!, imaginary) : real!
      })
    })
  }

  /**
   * The same of one or two ciphertexts of real values: two travel as one complex ciphertext, for the price of one and a half.
   * @returns for each of them its functions
   * @throws as `evaluate`, and InvalidArgumentError for two of them and real content
   */
  evaluateReal(
    engine: Evaluator,
    values: readonly [Ciphertext, Ciphertext?],
    functions: readonly PeriodicFunction[],
    options: EvaluateFunctionsOptions = {},
  ): Ciphertext[][] {
    return this.evaluateTogether(engine, [values], functions, options)
  }

  /**
   * Several of these in lock step: the same results as one after the other, to the bit, for less time, because keys and matrices are
   * read from memory once for all. The working memory is that of as many bootstraps.
   *
   * @param travellers one or two ciphertexts of real values each, as in `evaluateReal`; at least one
   * @returns for each ciphertext, in their order, its functions
   * @throws as `evaluateReal`
   */
  evaluateTogether(
    engine: Evaluator,
    travellers: readonly (readonly [Ciphertext, Ciphertext?])[],
    functions: readonly PeriodicFunction[],
    options: EvaluateFunctionsOptions = {},
  ): Ciphertext[][] {
    const { spec, inputLevel } = this.circuit
    assertTravellers(travellers, 'evaluateTogether')
    if (spec.content === 'real' && travellers.some(([, b]) => b))
      throw new InvalidArgumentError(
        'functional bootstrapping: made for real content, which is one ciphertext at a time',
      )
    const results = new Scope()
    try {
      scope((use) => {
        const joined = travellers.map(([a, b]) =>
          b ? use(joinParts(engine, use(toLevel(engine, a, inputLevel)), use(toLevel(engine, b, inputLevel)))) : a,
        )
        const parts = this.#parts(engine, joined, options).map((of) => of.map((part) => use(part)))
        for (const [i, [, b]] of travellers.entries())
          for (const part of b ? parts[i]! : parts[i]!.slice(0, 1))
            for (const y of this.#evaluatePart(engine, part, functions, options)) results.use(y)
        return []
      })
      const made = results.release<Ciphertext>()
      const count = functions.length
      return Array.from({ length: made.length / count }, (_, k) => made.slice(k * count, (k + 1) * count))
    } catch (error) {
      results.dispose()
      throw error
    }
  }

  /** Gives the matrices back. */
  dispose(): void {
    this.#raise.dispose()
  }
  [Symbol.dispose](): void {
    this.dispose()
  }

  /** t of each half of each of them, as coeffsToSlots leaves it. */
  #parts(
    engine: Evaluator,
    inputs: readonly Ciphertext[],
    { period = 1 }: EvaluateFunctionsOptions,
  ): readonly Ciphertext[][] {
    const made = new Scope()
    try {
      return scope((use) => {
        const raised = this.#raise.raiseTogether(engine, inputs, period / PARTS).map((one) => use(one))
        const parts = raised.map((one) => {
          if (this.circuit.spec.content === 'real') return [made.use(doubledRealPart(engine, one))]
          const { real, imaginary } = doubledParts(engine, one)
          return [made.use(real), made.use(imaginary)]
        })
        made.release()
        return parts
      })
    } finally {
      made.dispose()
    }
  }

  #evaluatePart(
    engine: Evaluator,
    part: Ciphertext,
    functions: readonly PeriodicFunction[],
    { points = pointsOf(functions), observe }: EvaluateFunctionsOptions,
  ): Ciphertext[] {
    this.#check(functions)
    const { spec, outputLevel } = this.circuit
    const work = { exponential: createExponential(spec.degree, spec.squarings), functions, outputLevel }
    engine.declareMagnitude?.(part, raisedMagnitude(RAISE_BOUND))
    const results = evaluateFunctions(engine, part, work)
    const estimate = predictFunctions(engine, part, results, work, points)
    if (estimate) observe?.(estimate)
    return results
  }

  #check(functions: readonly PeriodicFunction[]): void {
    if (functions.length === 0)
      throw new InvalidArgumentError('functional bootstrapping: expected at least one function')
    const { functionLevels } = this.circuit.spec
    for (const [i, { depth }] of functions.entries())
      if (depth > functionLevels)
        throw new LevelError(
          `functional bootstrapping: function ${i} takes ${depth} levels, the circuit has ${functionLevels} for them`,
        )
  }
}
