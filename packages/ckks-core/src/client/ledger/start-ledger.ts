import { InvalidArgumentError } from '../../errors/errors.ts'
import type { PlanContract } from '../../port/plan-contract.ts'
import type { LedgerState } from './ledger.ts'
import { checkLedgerState } from './ledger-format.ts'

/** What a new ledger must be told. */
export interface LedgerStart {
  /** `SecretKey.keyId` of the key that it will count for. */
  readonly keyId: string
  /** See `contractOf` of @he-ml/pipeline. */
  readonly contract: PlanContract
  /** Results published under this key before, by anyone: 0 for a fresh key. They count as used. */
  readonly used: number
}

/**
 * The state that a ledger begins with.
 * @throws InvalidArgumentError for arguments out of range
 */
export function startLedger({ keyId, contract, used }: LedgerStart): LedgerState {
  if (!Number.isSafeInteger(used) || used < 0)
    throw new InvalidArgumentError(`ledger: used must be how many results were published before, got ${used}`)
  const checked = checkLedgerState({ keyId, contract, used, requests: [] })
  if (typeof checked === 'string') throw new InvalidArgumentError(`ledger: ${checked}`)
  return checked
}
