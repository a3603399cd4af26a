/**
 * Functional bootstrapping: a refresh that gives functions of the values instead of the values. They fill the period (q0 is the
 * function's period, docs/notes/functional-bootstrapping.md):
 *
 *   slotsToCoeffs   slots become coefficients
 *   modRaise        q0 x becomes q0 (x + I), I small
 *   coeffsToSlots   coefficients become slots again
 *   exponential     E = exp(2 pi i x), which forgets I
 *   functions       real parts of polynomials in E, any number of them; the powers of E are made once
 *
 * The circuit runs on any engine.
 */
import { InvalidArgumentError, LevelError } from '../../errors/errors.ts'
import { assertEphemeralSecure, EPHEMERAL_WEIGHT } from '../../parameters/ephemeral.ts'
import type { AnyParameters } from '../../parameters/parameters.ts'
import type { Encoder, Evaluator } from '../../port/engine.ts'
import type { Level } from '../../port/quantities.ts'
import { createExponential } from './exponential.ts'
import type { FunctionalCircuit } from './functional-circuit.ts'
import { type FunctionalLevels, type FunctionalSpec, functionalLevels } from './functional-spec.ts'
import {
  type PreparedFunctionalBootstrapping,
  type PrepareFunctionalOptions,
  prepareFunctionalBootstrapping,
} from './prepared-functional-bootstrapping.ts'

/** A functional bootstrapping circuit for given parameters; see {@link createFunctionalBootstrapping}. */
export class FunctionalBootstrapping implements FunctionalCircuit {
  readonly parameters: AnyParameters
  readonly spec: FunctionalSpec
  readonly levels: FunctionalLevels
  readonly inputLevel: Level
  readonly angleLevel: Level
  readonly outputLevel: Level
  readonly angleError: number

  constructor(parameters: AnyParameters, spec: FunctionalSpec) {
    checkSpec(parameters, spec)
    this.parameters = parameters
    this.spec = spec
    this.levels = functionalLevels(spec)
    const { slotsToCoeffs, coeffsToSlots, exponential, functions } = this.levels
    this.inputLevel = slotsToCoeffs
    this.angleLevel = parameters.maxLevel - coeffsToSlots - exponential
    this.outputLevel = this.angleLevel - functions
    if (this.outputLevel < this.inputLevel)
      throw new LevelError(
        `functional bootstrapping: ${parameters.maxLevel} levels are too few: the circuit takes ${parameters.maxLevel - this.outputLevel} from the top and ${this.inputLevel} from the bottom`,
      )
    this.angleError = createExponential(spec.degree, spec.squarings).error
  }

  get usableLevels(): number {
    return this.outputLevel - this.inputLevel
  }

  /**
   * Encodes the matrices for an engine.
   * @throws CancelledError through the signal; InvalidArgumentError for a period that is not positive
   */
  prepare(
    engine: Encoder & Evaluator,
    options: PrepareFunctionalOptions = {},
  ): Promise<PreparedFunctionalBootstrapping> {
    return prepareFunctionalBootstrapping(this, engine, options)
  }
}

/** Bits of the angle that a series must have, to be of any use. */
const LEAST_BITS = 5

function checkSpec(parameters: AnyParameters, spec: FunctionalSpec): void {
  const { slots, coeffsToSlots, slotsToCoeffs, degree, squarings, functionLevels } = spec
  const logSlots = Math.log2(slots)
  if (!Number.isInteger(logSlots) || logSlots < 4 || slots > parameters.maxSlots)
    throw new InvalidArgumentError(
      `functional bootstrapping: slots must be a power of two from 16 to ${parameters.maxSlots}, got ${slots}`,
    )
  const within = (name: string, value: number, low: number, high: number) => {
    if (Number.isInteger(value) && value >= low && value <= high) return
    throw new InvalidArgumentError(`functional bootstrapping: ${name} must be from ${low} to ${high}, got ${value}`)
  }
  within('coeffsToSlots', coeffsToSlots, 1, logSlots)
  within('slotsToCoeffs', slotsToCoeffs, 1, logSlots)
  within('degree', degree, 1, 127)
  within('squarings', squarings, 0, 8)
  within('functionLevels', functionLevels, 1, 20)
  const { error } = createExponential(degree, squarings)
  if (!(error < 2 ** -LEAST_BITS))
    throw new InvalidArgumentError(
      `functional bootstrapping: a series of degree ${degree} with ${squarings} squarings is ${error.toPrecision(2)} off: raise one of the two`,
    )
  if (parameters.ringDegree < 8 * EPHEMERAL_WEIGHT)
    throw new InvalidArgumentError(`functional bootstrapping: a ring of degree ${parameters.ringDegree} is too small`)
  assertEphemeralSecure(parameters)
}

/**
 * A functional bootstrapping circuit for parameters that have its levels; `functionalSet` makes both together.
 *
 * @throws InvalidArgumentError for a malformed spec; LevelError with too few levels; SecurityError when the ephemeral secret
 *   would not be 128-bit secure
 * @example
 * ```ts
 * import { createFunctionalBootstrapping, createPlanEngine, functionalSet, gridFunction } from '@he-ml/ckks-core'
 * const { parameters, spec } = functionalSet('N15-P16')
 * const circuit = createFunctionalBootstrapping(parameters, spec)
 * const values = Array.from({ length: 16 }, (_, i) => ({ index: i - 8, value: i - 8 >= 4 ? 1 : 0 }))
 * const step = gridFunction({ points: 16, values, cleaned: true })
 * const engine = createPlanEngine(parameters)
 * const prepared = await circuit.prepare(engine, { periods: [4] })
 * const membranes = engine.input({ level: circuit.inputLevel })
 * const [spikes] = prepared.evaluate(engine, membranes, [step], { period: 4, observe: ({ margin }) => console.log(margin) })
 * console.log(spikes!.level, engine.report().keyRequest)
 * ```
 */
export const createFunctionalBootstrapping = (
  parameters: AnyParameters,
  spec: FunctionalSpec,
): FunctionalBootstrapping => new FunctionalBootstrapping(parameters, spec)
