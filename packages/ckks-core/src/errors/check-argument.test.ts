import { describe, expect, it } from 'vitest'
import { checkArgument } from './check-argument.ts'
import { optionCheck } from './check-options.ts'
import { InvalidArgumentError } from './errors.ts'

const circle: Record<string, unknown> = { name: 'c' }
circle.self = circle

describe('an argument', () => {
  it('is taken where it is of its kind', () => {
    expect(() => checkArgument('call', 'path', 'a/b', optionCheck.path)).not.toThrow()
    expect(() => checkArgument('call', 'file', Buffer.from([1]), optionCheck.bytes)).not.toThrow()
  })
  it.each([
    [Promise.resolve(1), 'a promise: await it first'],
    [new Map(), 'an object of class Map'],
    [new Float32Array(3), 'a Float32Array of 12 bytes'],
    [parseInt, 'the function parseInt'],
    [circle, 'an object with name, self'],
    [12n, '12'],
    [undefined, 'undefined'],
    [null, 'null'],
    [{}, '{}'],
    ['', '""'],
  ])('of another kind is refused, in words: %s', (value, shown) => {
    const call = () => checkArgument('call', 'path', value, optionCheck.path)
    expect(call).toThrow(InvalidArgumentError)
    expect(call).toThrow(`call: path must be a path, got ${shown}`)
  })
})
