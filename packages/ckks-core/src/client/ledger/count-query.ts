/** One more published result: everything that must be true before its values may exist. */
import { InvalidArgumentError, PlanError, SecurityError } from '../../errors/errors.ts'
import type { PlanContract } from '../../port/plan-contract.ts'
import { publicationBound } from '../../port/plan-contract.ts'
import { floodingSigma } from '../flooding-sigma.ts'
import type { LedgerState, PublicationTerms } from './ledger.ts'

/** What a publication asks for. */
export interface QueryWish {
  readonly queries: number
  readonly statisticalBits: number
  /** Real numbers that would leave. */
  readonly numbers: number
  /** Bits that must remain. */
  readonly precisionBits: number
  /** Id of the request that the result answers, as it says. */
  readonly request: string | undefined
}

/**
 * The state after the query, with its terms.
 * @throws SecurityError when it may not be published; PlanError ('precision') when too little precision would remain
 */
export function countQuery(state: LedgerState, wish: QueryWish): LedgerState & { readonly terms: PublicationTerms } {
  checkContract(state.contract)
  checkRequest(state, wish.request)
  const terms = termsOf(state, wish)
  const left = -Math.log2(terms.sigma)
  if (left < wish.precisionBits)
    throw new PlanError(
      'precision',
      `publishing ${terms.numbers} numbers in ${terms.queries} queries at ${terms.statisticalBits} statistical bits leaves ${left.toFixed(1)} bits, wanted ${wish.precisionBits}: raise the scale by ${Math.ceil(wish.precisionBits - left)} bits, publish fewer numbers or queries, or publish only a decision (the argmax)`,
    )
  if (state.used >= terms.queries)
    throw new SecurityError(
      `publication: ${state.used} of ${terms.queries} declared queries are used: make a new key, with more queries declared from the start`,
    )
  return { ...state, terms, used: state.used + 1 }
}

/** Standard deviation of a coefficient's error in a fresh ciphertext. */
const FRESH_SIGMA = 3.2

function checkContract({ input, output, errorBound }: PlanContract): void {
  if (input.range === undefined)
    throw new SecurityError(
      'publication: the plan knows no range of its inputs, so its error has no bound: compile it with the calibration that fit gives, and make a new key',
    )
  // decryption reads 2 n of the N coefficients of a ciphertext of period n
  const least = publicationBound((Math.sqrt(2 * output.slots) * FRESH_SIGMA) / output.scale)
  if (errorBound < least)
    throw new SecurityError(
      `publication: the plan promises errors below 2^${Math.log2(errorBound).toFixed(1)}, but a fresh ciphertext at its output's scale has 2^${Math.log2(least).toFixed(1)}: do not use this plan; whoever publishes makes the plan`,
    )
}

function checkRequest({ requests }: LedgerState, id: string | undefined): void {
  const found = id === undefined ? undefined : requests.find((r) => r.id === id)
  if (!found)
    throw new SecurityError(
      `publication: the result answers request ${id ?? '(none named)'}, which this ledger does not know: only inputs that were encrypted with the secret key and its ledger can be published, for the range of others is unknown`,
    )
  if (found.outOfRange)
    throw new SecurityError(
      `publication: request ${id} was encrypted with values outside the plan's range, so its error has no bound: keep the result private, or encrypt values in the range`,
    )
}

/** The terms: those of the first publication, or from now on these. */
function termsOf({ terms, contract, used }: LedgerState, wish: QueryWish): PublicationTerms {
  const { queries, numbers, statisticalBits } = wish
  if (!terms) {
    const sigma = floodingSigma({ errorBound: contract.errorBound, queries, numbers, statisticalBits })
    if (!Number.isFinite(sigma))
      throw new InvalidArgumentError(`publication: the noise for ${queries} queries is no finite number`)
    if (used >= queries)
      throw new SecurityError(
        `publication: ${used} results were published before, ${queries} are declared in all: declare more, earlier ones included, or make a new key`,
      )
    return { queries, numbers, statisticalBits, sigma }
  }
  if (queries !== terms.queries || statisticalBits !== terms.statisticalBits)
    throw new SecurityError(
      `publication: the first one declared ${terms.queries} queries at ${terms.statisticalBits} statistical bits, this one ${queries} at ${statisticalBits}: what was declared stays, for the noise of what is out already cannot be raised; make a new key for more`,
    )
  if (numbers > terms.numbers)
    throw new SecurityError(
      `publication: the first one had ${terms.numbers} numbers of a result, this one ${numbers}: publish at most as many, or make a new key`,
    )
  return terms
}
