import { describe, expect, it } from 'vitest'
import { folderFigures, packageFigure, withFigures } from './figures.mjs'

describe('packageFigure', () => {
  it('groups packages by layer, and sorts their edges', () => {
    const packages = new Map([
      ['low-one', { layer: 0, declared: [] }],
      ['top', { layer: 10, declared: ['low-two', 'low-one'] }],
      ['low-two', { layer: 2, declared: ['low-one'] }],
    ])
    expect(packageFigure(packages).split('\n')).toEqual([
      '```mermaid',
      'flowchart BT',
      '  subgraph layer0 [layer 0]',
      '    low_one["low-one"]',
      '  end',
      '  subgraph layer2 [layer 2]',
      '    low_two["low-two"]',
      '  end',
      '  subgraph layer10 [layer 10]',
      '    top["top"]',
      '  end',
      '  top --> low_one',
      '  top --> low_two',
      '  low_two --> low_one',
      '```',
    ])
  })
})

describe('folderFigures', () => {
  it('draws every package with several folders', () => {
    const edges = new Map([
      ['low', new Map<string, string>()],
      ['high-up', new Map([['low', 'high-up/a.ts']])],
    ])
    const figures = folderFigures(
      new Map([
        ['one', { order: ['low', 'high-up'], edges }],
        ['two', { order: ['low'], edges }],
      ]),
    )
    expect(figures.split('\n')).toEqual([
      '**one**',
      '',
      '```mermaid',
      'flowchart BT',
      '  low["low"]',
      '  high_up["high-up"]',
      '  high_up --> low',
      '```',
    ])
  })
})

describe('withFigures', () => {
  it('replaces what stands in a figure’s place, and says which has none', () => {
    const page = 'before\n<!-- a:begin -->\nold\n<!-- a:end -->\nafter\n'
    expect(withFigures(page, { a: 'new $1', b: 'lost' })).toEqual({
      page: 'before\n<!-- a:begin -->\nnew $1\n<!-- a:end -->\nafter\n',
      missing: ['b'],
    })
  })
})
