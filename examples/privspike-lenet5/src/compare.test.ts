import { describe, expect, it } from 'vitest'
import { argmax, compare, comparisonText, isFaithful, type Outcome } from './compare.ts'

const same = (scores: readonly number[], label: number): Outcome => ({ label, encrypted: scores, clear: scores })

it('argmax is the first of the largest', () => expect(argmax([1, 5, -3, 5])).toBe(1))

describe('compare', () => {
  it('counts decisions, and results of the same spikes', () => {
    const comparison = compare([
      same([8, 0], 0),
      { label: 1, encrypted: [0.009, 2], clear: [0, 2] },
      { label: 1, encrypted: [1, 2], clear: [2, 1] },
    ])
    expect(comparison).toEqual({
      ...{ inputs: 3, alike: 2, sameSpikes: 2, largest: 1 },
      right: { encrypted: 3, clear: 2 },
    })
    expect(comparisonText(comparison)).toEqual([
      'right: 3 of 3 (100.0 %) encrypted, 2 of 3 (66.7 %) in the clear',
      'decisions as in the clear: 2 of 3 (66.7 %); scores differ by at most 1.0',
      'results of the same spikes: 2 of 3 (66.7 %)',
    ])
  })
  it('tells encryption and soft spikes apart', () => {
    const comparison = compare([{ label: 0, encrypted: [8, 1], clear: [0, 8], polynomial: [8, 0.5] }])
    expect(comparison).toMatchObject({ alike: 0, toPolynomial: { alike: 1, largest: 0.5 } })
    expect(comparisonText(comparison).at(-1)).toMatch(/same polynomials in the clear: 1 of 1 .* at most 0\.50/)
  })
  it('takes what is no number for no result of the same spikes', () => {
    expect(compare([{ label: 0, encrypted: [1, Number.NaN], clear: [1, 0] }])).toMatchObject({ sameSpikes: 0 })
  })
})

it.each([
  [20, 19, true],
  [20, 18, false],
  [19, 18, false],
  [5, 5, true],
])('of %i inputs %i alike: faithful is %s', (inputs, alike, faithful) => {
  const outcomes = Array.from({ length: inputs }, (_, i) =>
    i < alike ? same([1, 0], 0) : { label: 0, encrypted: [0, 1], clear: [1, 0] },
  )
  expect(isFaithful(compare(outcomes))).toBe(faithful)
})
