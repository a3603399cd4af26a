import { describe, expect, it } from 'vitest'
import { FormatError, InvalidArgumentError } from '../../errors/errors.ts'
import { contract } from '../client.test-helper.ts'
import { countQuery } from './count-query.ts'
import { formatLedger, MAX_REQUESTS, parseLedger } from './ledger-format.ts'
import { rememberRequest } from './remember-request.ts'
import { startLedger } from './start-ledger.ts'

const id = (n: number) => n.toString(16).padStart(32, '0')
const request = id(2)
const state = countQuery(rememberRequest(startLedger({ keyId: id(1), contract, used: 0 }), { id: request }), {
  queries: 5,
  statisticalBits: 40,
  numbers: 1,
  precisionBits: -99,
  request,
})

describe('a ledger as text', () => {
  it('comes back', () => expect(parseLedger(formatLedger(state))).toEqual(state))

  it('cut anywhere, or with any character changed, is refused', () => {
    const text = formatLedger(state).trimEnd()
    for (let i = 0; i < text.length; i++) {
      expect(() => parseLedger(text.slice(0, i)), `cut at ${i}`).toThrow(FormatError)
      const other = text[i] === '1' ? '2' : '1'
      expect(() => parseLedger(text.slice(0, i) + other + text.slice(i + 1)), `changed at ${i}`).toThrow(FormatError)
    }
    for (const junk of ['', 'null', '[]', '{}', '1']) expect(() => parseLedger(junk), junk).toThrow(FormatError)
  })
  it('with a smaller sigma is refused, even with a right hash', () => {
    const terms = { ...state.terms!, sigma: state.terms!.sigma / 2 ** 20 }
    expect(() => parseLedger(formatLedger({ ...state, terms }))).toThrow(/sigma/)
  })
})

describe('a ledger', () => {
  it('begins with what was published before, and never without being told', () => {
    expect(startLedger({ keyId: id(1), contract, used: 3 }).used).toBe(3)
    for (const used of [-1, 0.5, NaN, undefined as unknown as number])
      expect(() => startLedger({ keyId: id(1), contract, used })).toThrow(InvalidArgumentError)
    expect(() => startLedger({ keyId: 'x', contract, used: 0 })).toThrow(InvalidArgumentError)
  })
  it('forgets the oldest requests', () => {
    let full = { ...state, requests: Array.from({ length: MAX_REQUESTS }, (_, i) => ({ id: id(i) })) }
    full = { ...full, requests: [...rememberRequest(full, { id: id(99_999) }).requests] }
    expect(full.requests).toHaveLength(MAX_REQUESTS)
    expect(full.requests[0]!.id).toBe(id(1))
    expect(parseLedger(formatLedger(full)).requests.at(-1)!.id).toBe(id(99_999))
  })
})
