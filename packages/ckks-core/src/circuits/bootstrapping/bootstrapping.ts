/**
 * Bootstrapping: a ciphertext that has used up its levels becomes one with levels again, of the same values (Cheon, Han, Kim,
 * Kim and Song, ePrint 2018/153; with the sparse-secret encapsulation of ePrint 2022/024, docs/notes/bootstrapping.md).
 *
 *   slotsToCoeffs   slots become coefficients, at the lowest levels, where everything is cheap
 *   modRaise        level 0 is read at the top: message m becomes m + q0 I, I small
 *   coeffsToSlots   coefficients become slots again
 *   evalMod         a sine takes m + q0 I to m; real and imaginary parts one after the other
 *
 * The circuit runs on any engine. What depends on weights only (the matrices) is encoded once by `prepare`.
 */
import { InvalidArgumentError, LevelError } from '../../errors/errors.ts'
import { assertEphemeralSecure, EPHEMERAL_WEIGHT } from '../../parameters/ephemeral.ts'
import type { AnyParameters } from '../../parameters/parameters.ts'
import type { Encoder, Evaluator } from '../../port/engine.ts'
import type { Level } from '../../port/quantities.ts'
import type { BootstrappingCircuit } from './bootstrapping-circuit.ts'
import {
  arcsineDegree,
  type BootstrappingLevels,
  type BootstrappingSpec,
  bootstrappingLevels,
} from './bootstrapping-spec.ts'
import { failureBound } from './failure-bound.ts'
import {
  type PrepareBootstrappingOptions,
  type PreparedBootstrapping,
  prepareBootstrapping,
} from './prepared-bootstrapping.ts'

/** A bootstrapping circuit for given parameters; see {@link createBootstrapping}. */
export class Bootstrapping implements BootstrappingCircuit {
  readonly parameters: AnyParameters
  readonly spec: BootstrappingSpec
  readonly levels: BootstrappingLevels
  readonly inputLevel: Level
  readonly outputLevel: Level
  readonly failureProbability: number

  constructor(parameters: AnyParameters, spec: BootstrappingSpec) {
    checkSpec(parameters, spec)
    this.parameters = parameters
    this.spec = spec
    this.levels = bootstrappingLevels(spec)
    this.inputLevel = this.levels.slotsToCoeffs
    this.outputLevel = parameters.maxLevel - this.levels.coeffsToSlots - this.levels.evalMod
    if (this.outputLevel <= this.inputLevel)
      throw new LevelError(
        `bootstrapping: ${parameters.maxLevel} levels are too few: the circuit takes ${parameters.maxLevel - this.outputLevel} from the top and ${this.inputLevel} from the bottom, so at least ${parameters.maxLevel - this.outputLevel + this.inputLevel + 1} are needed`,
      )
    this.failureProbability = failureBound(parameters.ringDegree, spec)
  }

  get usableLevels(): number {
    return this.outputLevel - this.inputLevel
  }

  /**
   * Encodes the matrices for an engine.
   * @throws CancelledError through the signal; InvalidArgumentError for a range that is not positive
   */
  prepare(engine: Encoder & Evaluator, options: PrepareBootstrappingOptions = {}): Promise<PreparedBootstrapping> {
    return prepareBootstrapping(this, engine, options)
  }
}

function checkSpec(parameters: AnyParameters, spec: BootstrappingSpec): void {
  const { slots, coeffsToSlots, slotsToCoeffs, degree, doubleAngles, logMessageRatio } = spec
  const arcsine = arcsineDegree(spec)
  const logSlots = Math.log2(slots)
  if (!Number.isInteger(logSlots) || logSlots < 4 || slots > parameters.maxSlots)
    throw new InvalidArgumentError(
      `bootstrapping: slots must be a power of two from 16 to ${parameters.maxSlots}, got ${slots}`,
    )
  for (const [name, value] of Object.entries({ coeffsToSlots, slotsToCoeffs }))
    if (!Number.isInteger(value) || value < 1 || value > logSlots)
      throw new InvalidArgumentError(`bootstrapping: ${name} must be from 1 to ${logSlots}, got ${value}`)
  if (!Number.isInteger(degree) || degree % 2 !== 0 || degree < 2 || degree > 126)
    throw new InvalidArgumentError(`bootstrapping: degree must be an even number from 2 to 126, got ${degree}`)
  if (!Number.isInteger(doubleAngles) || doubleAngles < 0 || doubleAngles > 6)
    throw new InvalidArgumentError(`bootstrapping: doubleAngles must be from 0 to 6, got ${doubleAngles}`)
  if (!Number.isInteger(arcsine) || arcsine < 0 || arcsine > 127 || (arcsine > 0 && (arcsine % 2 === 0 || arcsine < 3)))
    throw new InvalidArgumentError(`bootstrapping: arcsine must be 0 or an odd degree from 3 to 127, got ${arcsine}`)
  if (arcsine > 0 && !(logMessageRatio > 2))
    throw new InvalidArgumentError(
      `bootstrapping: with a polynomial after the sine logMessageRatio must be more than 2, or the sine turns back, got ${logMessageRatio}`,
    )
  const room = parameters.logQAt(0) - logMessageRatio
  if (!(logMessageRatio >= 2 && room >= 15))
    throw new InvalidArgumentError(
      `bootstrapping: logMessageRatio must be at least 2 and leave a message of 15 bits or more, got ${logMessageRatio} of ${parameters.logQAt(0).toFixed(1)}`,
    )
  if (parameters.ringDegree < 8 * EPHEMERAL_WEIGHT)
    throw new InvalidArgumentError(`bootstrapping: a ring of degree ${parameters.ringDegree} is too small`)
  assertEphemeralSecure(parameters)
}

/**
 * A bootstrapping circuit for parameters that have its levels; `bootstrappingSet` makes both together.
 *
 * @throws InvalidArgumentError for a malformed spec; LevelError with too few levels; SecurityError when the ephemeral secret
 *   would not be 128-bit secure
 * @example
 * ```ts
 * import { bootstrappingSet, createBootstrapping, createPlanEngine } from '@he-ml/ckks-core'
 * const { parameters, spec } = bootstrappingSet('N16-B10')
 * const bootstrapping = createBootstrapping(parameters, spec)
 * const engine = createPlanEngine(parameters)
 * const prepared = await bootstrapping.prepare(engine)
 * const fresh = prepared.bootstrap(engine, engine.input({ level: bootstrapping.inputLevel }))
 * console.log(fresh.level, engine.report().keyRequest)
 * ```
 */
export function createBootstrapping(parameters: AnyParameters, spec: BootstrappingSpec): Bootstrapping {
  return new Bootstrapping(parameters, spec)
}
