/** What must hold before a run begins. */
import {
  type Ciphertext,
  describeKey,
  type Engine,
  InvalidArgumentError,
  type KeyRequest,
  type KeyStore,
  listKeyNeeds,
  MissingKeyError,
  ParameterMismatchError,
} from '@he-ml/ckks-core'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { inputCiphertexts, type ProgramInput } from '../program/program.ts'

/** @throws ParameterMismatchError, MissingKeyError */
export function assertRunnable({ plan, parameters }: BoundPlan, engine: Engine, keys: KeyStore | undefined): void {
  if (parameters.id !== engine.parameters.id)
    throw new ParameterMismatchError(
      `plan "${plan.model.name}" is for parameters ${parameters.id}, the engine has ${engine.parameters.id}`,
    )
  const missing = listKeyNeeds(plan.keyRequest as KeyRequest).filter((need) =>
    keys ? !keys.has(need) : !engine.hasKey(need),
  )
  if (missing.length === 0) return
  const names = missing.map(describeKey)
  throw new MissingKeyError(
    `the plan needs ${missing.length} keys that are not ${keys ? 'in the key store' : 'loaded'}: ${names.slice(0, 8).join(', ')}${missing.length > 8 ? ', ...' : ''}`,
  )
}

/** @throws InvalidArgumentError for inputs that do not fit the plan */
export function assertInputs(input: ProgramInput, inputs: readonly Ciphertext[]): void {
  const { values, layout, level } = input
  const count = inputCiphertexts(input)
  if (inputs.length !== count)
    throw new InvalidArgumentError(
      `run: the plan takes ${count} input ciphertexts${values.length > 1 ? `, ${layout.ciphertexts} for each of ${values.length} frames` : ''}, got ${inputs.length}`,
    )
  for (const [i, c] of inputs.entries()) {
    if (c.level < level)
      throw new InvalidArgumentError(
        `run: input ${i} is at level ${c.level}, the plan needs ${level}: encrypt it at that level`,
      )
    if (c.degree !== 1) throw new InvalidArgumentError(`run: input ${i} has degree 2; fresh ciphertexts have degree 1`)
    if (c.slots > layout.slots)
      throw new InvalidArgumentError(`run: input ${i} has period ${c.slots}, the plan's layout ${layout.slots}`)
  }
}
