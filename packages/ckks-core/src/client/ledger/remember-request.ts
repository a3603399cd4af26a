import type { LedgerState, RememberedRequest } from './ledger.ts'
import { MAX_REQUESTS } from './ledger-format.ts'

/** The state with one more request; the oldest is forgotten when there are too many. */
export function rememberRequest(state: LedgerState, request: RememberedRequest): LedgerState {
  return { ...state, requests: [...state.requests, request].slice(-MAX_REQUESTS) }
}
