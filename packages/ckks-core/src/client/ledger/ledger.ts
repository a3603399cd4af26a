/**
 * The memory of a key, in public facts: what plan it serves, how many results were declared and are published, which requests were
 * encrypted. Publication is decided by it alone (docs/adr/0005-publication-ledger.md). An implementation must see to it that
 * changes come one after another, whoever makes them, and are kept before `update` resolves.
 */
import type { PlanContract } from '../../port/plan-contract.ts'

/** Fixed by the first publication under a key. */
export interface PublicationTerms {
  /** Results that will ever be published under the key. */
  readonly queries: number
  /** Most real numbers published of one result. */
  readonly numbers: number
  /** log2 of 1 / (total KL divergence allowed), from 10 to 80. */
  readonly statisticalBits: number
  /** Standard deviation of the noise, from these and the contract's bound. */
  readonly sigma: number
}

/** An encrypted input. */
export interface RememberedRequest {
  /** 32 hex digits. */
  readonly id: string
  /** Values lay outside the plan's range, so the result's error has no bound. */
  readonly outOfRange?: true
}

/** Everything a ledger knows. */
export interface LedgerState {
  /** Name of the secret key that it counts for. */
  readonly keyId: string
  /** The facts of the key's plan. */
  readonly contract: PlanContract
  /** Results published so far, those before this ledger began included. */
  readonly used: number
  /** Absent before the first publication. */
  readonly terms?: PublicationTerms
  /** The latest ones, oldest first. */
  readonly requests: readonly RememberedRequest[]
}

/** See above. */
export interface Ledger {
  /** @throws SecurityError when there is none; FormatError when it is damaged */
  read(): Promise<LedgerState>
  /**
   * Applies a change that nobody else comes between; kept when it resolves. What `change` throws leaves the ledger as it was.
   * @returns the new state
   */
  update(change: (state: LedgerState) => LedgerState): Promise<LedgerState>
}
