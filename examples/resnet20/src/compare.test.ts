import { describe, expect, it } from 'vitest'
import { argmax, compare, comparisonText, isStray, type Outcome } from './compare.ts'

const exact = (logits: readonly number[], label: number): Outcome => ({
  ...{ label, encrypted: logits, clear: logits, polynomial: logits },
})

describe('argmax and isStray', () => {
  it('finds the first of the largest', () => expect(argmax([1, 5, -3, 5])).toBe(1))
  it.each([
    [[1, -99], false],
    [[1, -101], true],
    [[Number.NaN, 0], true],
    [[Number.POSITIVE_INFINITY], true],
  ])('%j leaves the range: %s', (logits, stray) => expect(isStray(logits)).toBe(stray))
})

describe('compare', () => {
  it('finds the largest difference, and counts decisions', () => {
    const outcomes: Outcome[] = [
      { label: 0, encrypted: [8, 0.5], clear: [8, 0], polynomial: [8.25, 0.25] },
      { label: 1, encrypted: [2, 1], clear: [1, 2], polynomial: [2, 1] },
    ]
    const { images, strays, toClear, toPolynomial, right } = compare(outcomes)
    expect({ images, strays, right }).toEqual({ images: 2, strays: 0, right: { encrypted: 1, clear: 2 } })
    expect(toClear).toEqual({ largest: 1, bits: 3, same: 1 })
    expect(toPolynomial).toEqual({ largest: 0.25, bits: 5, same: 2 })
  })
  it('leaves out images that run away', () => {
    const stray: Outcome = { ...exact([1e30, 0], 0), encrypted: [3, 7] }
    const { images, strays, toClear, right } = compare([exact([1, 0], 0), stray])
    expect({ images, strays, right }).toEqual({ images: 2, strays: 1, right: { encrypted: 1, clear: 1 } })
    expect(toClear).toMatchObject({ largest: 0, same: 1 })
  })
  it('judges nothing without labels', () => {
    const { label: _, ...unlabelled } = exact([1, 0], 0)
    expect(compare([unlabelled])).not.toHaveProperty('right')
  })
})

describe('comparisonText', () => {
  it('says it once where the polynomials are the network', () => {
    const one = { label: 0, encrypted: [8, 1], clear: [8, 0], polynomial: [8, 0] }
    expect(comparisonText(compare([one]))).toEqual([
      'decisions as in the clear: 1 of 1 (100.0 %)',
      'logits differ from the clear ones by at most 1.0, 3.0 bits of their range',
      'right: 1 of 1 (100.0 %) encrypted, 1 of 1 (100.0 %) in the clear',
    ])
  })
  it('tells encryption and polynomials apart', () => {
    const one = { encrypted: [8, 1], clear: [8, 0], polynomial: [8, 0.5] }
    expect(comparisonText(compare([one])).join('\n')).toMatch(
      /same polynomials in the clear.* at most 0\.50, 3\.9 bits/,
    )
  })
  it('tells of images that ran away', () => {
    const stray = exact([Number.NaN, 0], 0)
    expect(comparisonText(compare([exact([1, 0], 0), stray]))[0]).toMatch(/^1 of 2 images leave the range/)
    expect(comparisonText(compare([stray]))).toEqual([expect.stringMatching(/nothing to compare/)])
  })
})
