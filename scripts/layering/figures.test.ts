import { describe, expect, it } from 'vitest'
import { folderFigures, packageFigure, withFigures } from './figures.mjs'

describe('packageFigure', () => {
  it('shows packages by layer, the highest first, and sorts their edges', () => {
    const packages = new Map([
      ['low-one', { layer: 0, declared: [] }],
      ['top', { layer: 10, declared: ['low-two', 'low-one'] }],
      ['low-two', { layer: 2, declared: ['low-one'] }],
    ])
    const { markdown, files } = packageFigure(packages)
    expect(markdown).toMatch(/^!\[Packages by layer: [^\]]*\]\(docs\/figures\/packages\.svg\)$/)
    expect([...files.keys()]).toEqual(['docs/figures/packages.svg'])
    const svg = String(files.get('docs/figures/packages.svg'))
    expect(svg).toContain('>top uses low-one, low-two. low-two uses low-one.<')
    expect(svg.match(/>layer \d+</g)).toEqual(['>layer 10<', '>layer 2<', '>layer 0<'])
  })
})

describe('folderFigures', () => {
  it('draws every package with several folders', () => {
    const edges = new Map([
      ['low', new Map<string, string>()],
      ['high-up', new Map([['low', 'high-up/a.ts']])],
    ])
    const { markdown, files } = folderFigures(
      new Map([
        ['one', { order: ['low', 'high-up'], edges }],
        ['two', { order: ['low'], edges }],
      ]),
    )
    expect(markdown).toMatch(/^\*\*one\*\*\n\n!\[Folders of one: [^\]]*\]\(docs\/figures\/one\.svg\)$/)
    expect([...files.keys()]).toEqual(['docs/figures/one.svg'])
    expect(files.get('docs/figures/one.svg')).toContain('>high-up uses low.<')
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
