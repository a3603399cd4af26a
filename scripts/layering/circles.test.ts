import { describe, expect, it } from 'vitest'
import { findCircle } from './circles.mjs'

const graph = (edges: Readonly<Record<string, readonly string[]>>) => new Map(Object.entries(edges))

describe('findCircle', () => {
  it('finds a way back, not the way that leads to it', () => {
    expect(findCircle(graph({ start: ['a'], a: ['b'], b: ['c'], c: ['a'] }))).toEqual(['a', 'b', 'c', 'a'])
    expect(findCircle(graph({ a: ['a'] }))).toEqual(['a', 'a'])
    expect(findCircle(graph({ a: ['b'], b: [], x: ['y', 'b'], y: ['x'] }))).toEqual(['x', 'y', 'x'])
  })

  it('finds none where two ways lead to one node', () => {
    expect(findCircle(graph({ a: ['b', 'c'], b: ['d'], c: ['d'], d: ['elsewhere'] }))).toBeUndefined()
    expect(findCircle(new Map())).toBeUndefined()
  })
})
