import { describe, expect, it } from 'vitest'
import { drawn, edgesInWords } from './svg.mjs'

const graph = {
  title: 'Boxes & <lines>',
  rows: [{ nodes: ['top'] }, { label: 'layer 1', nodes: ['left', 'right'] }, { nodes: ['low'] }],
  edges: [
    ['top', 'left'],
    ['top', 'low'],
    ['right', 'low'],
  ] as const,
}

describe('drawn', () => {
  it('says in words what it shows', () => {
    expect(edgesInWords(graph)).toBe('top uses left, low. right uses low.')
    const svg = drawn(graph)
    expect(svg).toContain('<title id="title">Boxes &amp; &lt;lines></title>')
    expect(svg).toContain(`<desc id="edges">${edgesInWords(graph)}</desc>`)
  })

  it('has the name of every box and row, an arrow’s head for each box that is used, and a line for each part of an arrow', () => {
    const svg = drawn(graph)
    const texts = [...svg.matchAll(/<text [^>]*>([^<]*)</g)].map(([, text]) => text)
    expect(texts.sort()).toEqual(['layer 1', 'left', 'low', 'right', 'top'])
    expect(svg.match(/<path [^>]*z"/g)).toHaveLength(2)
    // top to left, top to where its line passes the second row, from there to low, right to low
    expect(svg.match(/<path [^>]*stroke=/g)).toHaveLength(4)
  })

  it('is well-formed, and the same every time', () => {
    const svg = drawn(graph)
    const open: string[] = []
    for (const [, closes, name, own] of svg.matchAll(/<(\/?)(\w+)[^<>]*?(\/?)>/g))
      if (closes) expect(open.pop()).toBe(name)
      else if (!own) open.push(String(name))
    expect(open).toEqual([])
    expect(drawn(structuredClone(graph))).toBe(svg)
  })
})
