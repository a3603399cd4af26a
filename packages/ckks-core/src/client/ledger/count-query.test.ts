import { describe, expect, it } from 'vitest'
import { PlanError, SecurityError } from '../../errors/errors.ts'
import { publicationBound } from '../../port/plan-contract.ts'
import { contract } from '../client.test-helper.ts'
import { floodingSigma } from '../flooding-sigma.ts'
import { countQuery, type QueryWish } from './count-query.ts'
import { rememberRequest } from './remember-request.ts'
import { startLedger } from './start-ledger.ts'

const id = (n: number) => n.toString(16).padStart(32, '0')
const fresh = rememberRequest(startLedger({ keyId: id(1), contract, used: 0 }), { id: id(7) })
const wish: QueryWish = { queries: 2, statisticalBits: 20, numbers: 3, precisionBits: 0, request: id(7) }

describe('a query', () => {
  it('fixes the terms the first time, and is counted until they are used up', () => {
    const one = countQuery(fresh, wish)
    const sigma = floodingSigma({ errorBound: contract.errorBound, queries: 2, numbers: 3, statisticalBits: 20 })
    expect(one).toMatchObject({ used: 1, terms: { queries: 2, numbers: 3, statisticalBits: 20, sigma } })
    const two = countQuery(one, { ...wish, numbers: 1 })
    expect(two).toMatchObject({ used: 2, terms: one.terms })
    expect(() => countQuery(two, wish)).toThrow(/2 of 2 declared queries are used/)
    expect(fresh.used).toBe(0)
  })
  it('cannot change what the first one declared', () => {
    const one = countQuery(fresh, wish)
    for (const change of [
      { queries: 3 },
      { queries: 1 },
      { statisticalBits: 21 },
      { statisticalBits: 10 },
      { numbers: 4 },
    ])
      expect(() => countQuery(one, { ...wish, ...change }), JSON.stringify(change)).toThrow(SecurityError)
  })
  it('counts what was published before', () => {
    const old = rememberRequest(startLedger({ keyId: id(1), contract, used: 2 }), { id: id(7) })
    expect(() => countQuery(old, wish)).toThrow(/2 results were published before/)
    expect(countQuery(old, { ...wish, queries: 3 }).used).toBe(3)
  })
  it('is refused for requests that are unknown, unnamed or out of range', () => {
    expect(() => countQuery(fresh, { ...wish, request: id(8) })).toThrow(/does not know/)
    expect(() => countQuery(fresh, { ...wish, request: undefined })).toThrow(/none named/)
    const flagged = rememberRequest(fresh, { id: id(9), outOfRange: true })
    expect(() => countQuery(flagged, { ...wish, request: id(9) })).toThrow(/outside the plan's range/)
    expect(countQuery(flagged, wish).used).toBe(1)
  })
  it('is refused without a range, and below what a fresh ciphertext has', () => {
    const { range: _, ...input } = contract.input
    expect(() => countQuery({ ...fresh, contract: { ...contract, input } }, wish)).toThrow(/no range of its inputs/)
    // a plan resealed with precisionBits: 80
    const resealed = { ...contract, errorBound: publicationBound(2 ** -80) }
    expect(() => countQuery({ ...fresh, contract: resealed }, wish)).toThrow(/whoever publishes makes the plan/)
  })
  it('that would leave too few bits fixes nothing', () => {
    const little = () => countQuery(fresh, { ...wish, precisionBits: 30 })
    expect(little).toThrow(PlanError)
    expect(little).toThrow(expect.objectContaining({ reason: 'precision' }))
    expect(() => countQuery(fresh, { ...wish, precisionBits: 12 })).toThrow(/raise the scale by \d+ bits/)
  })
})
