import { describe, expect, it } from 'vitest'
import { InvalidArgumentError } from '../errors/errors.ts'
import { publishedPositions } from './publication.ts'

describe('published positions', () => {
  it('are the first slots, or those named', () => {
    expect(publishedPositions(4, { count: 2 })).toEqual([0, 1])
    expect(publishedPositions(4, { positions: [3, 0] })).toEqual([3, 0])
  })
  it('outside the ciphertext, repeated, none, or beside a count are refused', () => {
    for (const positions of [[2], [-1], [0.5], [0, 0], []])
      expect(() => publishedPositions(2, { positions }), `[${positions}]`).toThrow(InvalidArgumentError)
    for (const count of [0, 3, 0.5, NaN]) expect(() => publishedPositions(2, { count })).toThrow(InvalidArgumentError)
    expect(() => publishedPositions(2, { positions: [0], count: 1 })).toThrow(/either count/)
    expect(() => publishedPositions(2, {})).toThrow(/either count/)
  })
})
