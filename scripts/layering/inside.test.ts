import { describe, expect, it } from 'vitest'
import { circlesInside, foldersAsLayers } from './inside.mjs'

/** Files by their imports; those whose name says so are tests. */
const sources = (files: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(files).map(([path, imports]) => ({ path: `src/${path}`, isTest: path.includes('.test'), imports }))

describe('circlesInside', () => {
  it('finds a circle of files in one folder', () => {
    const files = sources({ 'index.ts': ['./a.ts'], 'a.ts': ['./b.ts', 'zod'], 'b.ts': ['./a.ts'] })
    expect(circlesInside('packages/x', files)).toEqual(['packages/x/src: a circle of files: a.ts -> b.ts -> a.ts'])
  })

  it('finds a circle of folders whose files make none', () => {
    const files = sources({
      'one/a.ts': ['../two/b.ts'],
      'one/c.ts': [],
      'two/b.ts': [],
      'two/d.ts': ['../one/c.ts'],
    })
    expect(circlesInside('packages/x', files)).toEqual(['packages/x/src: a circle of folders: one -> two -> one'])
  })

  it('finds it deeper down too', () => {
    const files = sources({
      'all/one/a.ts': ['../two/b.ts'],
      'all/one/deep/c.ts': [],
      'all/two/b.ts': [],
      'all/two/d.ts': ['../one/deep/c.ts'],
    })
    expect(circlesInside('packages/x', files)).toEqual([
      'packages/x/src: a circle of folders: all/one -> all/two -> all/one',
    ])
  })

  it('lets files import a folder that lies below them, and tests whatever they like', () => {
    const files = sources({
      'index.ts': ['./one/a.ts'],
      'one/a.ts': ['../b.ts', './deep/c.ts'],
      'one/deep/c.ts': ['../d.ts'],
      'one/d.ts': [],
      'b.ts': [],
      'b.test.ts': ['./one/a.ts', './b.test.ts'],
    })
    expect(circlesInside('packages/x', files)).toEqual([])
  })
})

describe('foldersAsLayers', () => {
  const files = sources({
    'low/a.ts': [],
    'high/b.ts': ['../low/a.ts'],
    'high/c.ts': ['./b.ts'],
    'index.ts': ['./high/b.ts'],
  })

  it('draws folders in their order, with a file for every edge', () => {
    const { problems, drawn } = foldersAsLayers('packages/x', files, ['low', 'high'])
    expect(problems).toEqual([])
    expect(drawn.order).toEqual(['low', 'high'])
    expect([...drawn.edges.get('high')!]).toEqual([['low', 'high/b.ts']])
    expect(drawn.edges.get('low')!.size).toBe(0)
  })

  it('finds an edge that goes up', () => {
    expect(foldersAsLayers('packages/x', files, ['high', 'low']).problems).toEqual([
      'packages/x/src/high/b.ts: high may not import low, which is above it',
    ])
  })

  it('finds folders without a place and places without a folder', () => {
    expect(foldersAsLayers('packages/x', files, ['low', 'old']).problems).toEqual([
      'packages/x/src/high has no place in scripts/layers.json',
      'scripts/layers.json: there is no folder packages/x/src/old',
    ])
  })
})
