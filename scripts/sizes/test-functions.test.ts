import { describe, expect, it } from 'vitest'
import { testFunctions } from './test-functions.mjs'

describe('testFunctions', () => {
  it('measures tests, helpers and functions in them, not what groups tests', () => {
    const text = `function helper() {
  return 1
}
describe('all', () => {
  const small = () => 2
  it('one', () => {
    expect(small()).toBe(helper())
  })
})
describe.each([1, 2])('%i', (x) => {
  it.each([1])('two', function named() {})
})
describe.skipIf(false)('three', () => {
  class Local {
    get value() {
      return 3
    }
  }
})
declare function without(): void
`
    expect(testFunctions(text).map(({ name, line, lines }) => [name, line, lines])).toEqual([
      ['function helper() {', 1, 3],
      ['() => 2', 5, 1],
      ['() => {', 6, 3],
      ['function named() {}', 11, 1],
      ['get value() {', 15, 3],
    ])
  })
})
