/**
 * A ledger as text: canonical JSON with its hash, so that damage is seen. The hash is no signature: who can write beside the
 * secret key can also read it. A ledger is never repaired, and never begun again in silence.
 */
import { z } from 'zod'
import { FormatError } from '../../errors/errors.ts'
import { canonicalJson, contentHash } from '../../format/content-hash.ts'
import { floodingSigma } from '../flooding-sigma.ts'
import type { LedgerState } from './ledger.ts'

/** Requests kept; older ones are forgotten, and their results cannot be published any more. */
export const MAX_REQUESTS = 16_384

const id = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`))
const positive = z.number().int().min(1)
const end = z.strictObject({
  level: z.number().int().min(0).max(100),
  scale: z.number().gt(1),
  slots: positive.max(2 ** 16),
  ciphertexts: positive,
})
const range = z.strictObject({ min: z.number(), max: z.number() }).refine((r) => r.min <= r.max, 'expected min <= max')

const stateSchema = z.strictObject({
  keyId: id(16),
  contract: z.strictObject({
    plan: id(32),
    parameters: id(16),
    input: end.extend({ range: range.optional() }),
    output: end,
    errorBound: z.number().gt(0),
  }),
  used: z.number().int().min(0),
  terms: z
    .strictObject({
      queries: positive,
      numbers: positive,
      statisticalBits: z.number().min(10).max(80),
      sigma: z.number().gt(0),
    })
    .optional(),
  requests: z.array(z.strictObject({ id: id(16), outOfRange: z.literal(true).optional() })).max(MAX_REQUESTS),
})

/** The state, checked, or what is wrong with it. */
export function checkLedgerState(value: unknown): LedgerState | string {
  const result = stateSchema.safeParse(value)
  if (!result.success) {
    const { path, message } = result.error.issues[0]!
    return `${path.join('.') || '(root)'}: ${message}`
  }
  const state = result.data as LedgerState
  const { terms, contract } = state
  if (terms && terms.sigma !== floodingSigma({ ...terms, errorBound: contract.errorBound }))
    return 'terms.sigma: not what the declared queries and the bound ask for'
  return state
}

/** A ledger's text. */
export function formatLedger(state: LedgerState): string {
  return `${canonicalJson({ format: 'he-ml/ledger', version: 1, sha256: contentHash(state), state })}\n`
}

/** Reads it back. @throws FormatError saying what is wrong; never guesses */
export function parseLedger(text: string): LedgerState {
  let json: Partial<Record<string, unknown>> | null
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new FormatError(`not JSON: ${(cause as Error).message}`, { cause })
  }
  if (json?.format !== 'he-ml/ledger' || json.version !== 1) throw new FormatError('not a ledger of version 1')
  const state = checkLedgerState(json.state)
  if (typeof state === 'string') throw new FormatError(state)
  if (json.sha256 !== contentHash(state)) throw new FormatError('its hash does not match: it was changed or damaged')
  return state
}
