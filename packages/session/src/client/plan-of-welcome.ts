import { FormatError, ParameterMismatchError } from '@he-ml/ckks-core'
import { type Plan, parsePlan } from '@he-ml/pipeline'
import type { HeaderOf } from '../protocol/messages.ts'

/**
 * The plan that a server sends with its welcome.
 *
 * @param wanted content hash of the plan that it must be; undefined for any
 * @throws FormatError for bytes that are no plan, or another than the welcome names; ParameterMismatchError for another than wanted
 */
export function planOf(welcome: HeaderOf<'welcome'>, payload: Uint8Array, wanted: string | undefined): Plan {
  const plan = parsePlan(textOf(payload))
  if (welcome.plan !== plan.id)
    throw new FormatError(
      `message "welcome": plan: it names ${welcome.plan}, but the plan that it carries is ${plan.id}`,
    )
  if (wanted !== undefined && plan.id !== wanted)
    throw new ParameterMismatchError(
      `the server has plan ${plan.id}, expected ${wanted}: take its plan, or another server`,
    )
  return plan
}

function textOf(payload: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(payload)
  } catch (cause) {
    throw new FormatError('message "welcome": its plan is no text in UTF-8', { cause })
  }
}
