/** What is to be encrypted, held to the plan before any engine sees it. */
import { InvalidArgumentError, ParameterMismatchError } from '../errors/errors.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import type { PlanContract } from '../port/plan-contract.ts'
import type { Level, Scale } from '../port/quantities.ts'
import { type ComplexVector, checkedSlots, slotCount } from '../port/slot-values.ts'
import type { EncryptionInput, EncryptionOptions } from './client-engine.ts'
import { outsideRange } from './input-range.ts'
import { randomId } from './random-id.ts'

/** What an engine encrypts: checked values, every decision made. */
export interface EncryptionTask {
  /** One ciphertext each. */
  readonly inputs: readonly {
    /** Finite, one period of slots. */
    readonly values: ComplexVector
    /** As the caller called it. */
    readonly name?: string
  }[]
  /** Level of the ciphertexts. */
  readonly level: Level
  /** Scale of the ciphertexts. */
  readonly scale: Scale
  /** Fresh random name, for the file's header. */
  readonly request: string
  /** Content hash of the plan, for the header. */
  readonly plan?: string
  /** Text for people, for the header. */
  readonly labels?: Record<string, string>
}

/**
 * @param stored the ledger's contract, which comes before one that the caller brings
 * @throws InvalidArgumentError for values that are not finite, out of range, or not what the plan takes; ParameterMismatchError
 */
export function prepareEncryption(
  parameters: AnyParameters,
  inputs: readonly EncryptionInput[],
  options: EncryptionOptions,
  stored: PlanContract | undefined,
): { readonly task: EncryptionTask; readonly outOfRange?: true } {
  const contract = contractOf(parameters, options, stored)
  const level = agreed('level', contract?.input.level, options.level) ?? parameters.maxLevel
  const scale = agreed('scale', contract?.input.scale, options.scale) ?? parameters.scaleAt(level)
  const plan = contract?.plan ?? options.plan
  const resolved = inputs.map(({ values, name }) => ({
    values: checkedSlots(values, slotCount(values, parameters.maxSlots), 'encrypt'),
    ...(name === undefined ? {} : { name }),
  }))
  const vectors = resolved.map((r) => r.values)
  if (contract) checkShape(vectors, contract)
  const outside = contract && outsideRange(vectors, contract)
  if (outside && !options.allowOutOfRange) throw rangeError(outside, contract!)
  return {
    task: {
      inputs: resolved,
      level,
      scale,
      request: randomId(),
      ...(plan === undefined ? {} : { plan }),
      ...(options.labels === undefined ? {} : { labels: options.labels }),
    },
    ...(outside ? { outOfRange: true } : {}),
  }
}

function contractOf(
  parameters: AnyParameters,
  { contract, plan }: EncryptionOptions,
  stored: PlanContract | undefined,
): PlanContract | undefined {
  const used = stored ?? contract
  if (!used) return undefined
  for (const other of [contract?.plan, plan])
    if (other !== undefined && other !== used.plan)
      throw new ParameterMismatchError(
        `encrypt: the ${stored ? 'key belongs to' : 'contract is of'} plan ${used.plan}, got ${other}: one key serves one plan`,
      )
  if (used.parameters !== parameters.id)
    throw new ParameterMismatchError(
      `encrypt: the plan's parameters are ${used.parameters}, the engine's ${parameters.id}`,
    )
  return used
}

function agreed(what: string, wanted: number | undefined, got: number | undefined): number | undefined {
  if (wanted !== undefined && got !== undefined && wanted !== got)
    throw new InvalidArgumentError(`encrypt: the plan takes inputs at ${what} ${wanted}, got ${got}: leave ${what} out`)
  return wanted ?? got
}

function checkShape(vectors: readonly ComplexVector[], { input }: PlanContract): void {
  if (vectors.length !== input.ciphertexts)
    throw new InvalidArgumentError(
      `encrypt: the plan takes ${input.ciphertexts} input ciphertexts, got ${vectors.length}`,
    )
  for (const { re } of vectors)
    if (re.length !== input.slots)
      throw new InvalidArgumentError(`encrypt: the plan takes vectors of ${input.slots} slots, got ${re.length}`)
}

function rangeError(
  { input, slot, value }: NonNullable<ReturnType<typeof outsideRange>>,
  contract: PlanContract,
): InvalidArgumentError {
  const { min, max } = contract.input.range!
  return new InvalidArgumentError(
    `encrypt: slot ${slot} of input ${input} is ${value}; the plan was calibrated for real values from ${min} to ${max}, and its polynomials and its error are unknown elsewhere: normalise the input as for calibration, plan with data like it, or allow it (allowOutOfRange, --allow-out-of-range) and keep the result private`,
  )
}
