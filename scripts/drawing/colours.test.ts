import { describe, expect, it } from 'vitest'
import { COLOURS, coloursOf, GREY, LABELS } from './colours.mjs'

/** Relative luminance as the guidelines for accessible pages define it. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
const contrast = (a: string, b: string) => {
  const [dark = 0, bright = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (bright + 0.05) / (dark + 0.05)
}

describe('colours', () => {
  it('are dark enough for white letters and white pages, bright enough for dark pages', () => {
    for (const colour of [...COLOURS.values(), GREY]) {
      expect(contrast(colour, '#ffffff')).toBeGreaterThan(4.5)
      expect(contrast(colour, '#1e1e1e')).toBeGreaterThan(3.3)
      expect(contrast(colour, '#2b2e33')).toBeGreaterThan(2.8)
    }
    for (const page of ['#ffffff', '#1e1e1e', '#2b2e33']) expect(contrast(LABELS, page)).toBeGreaterThan(3.5)
  })

  it('differ for lines that are side by side, as long as there are any, and every box that is used has one', () => {
    const low = Array.from({ length: COLOURS.size }, (_, i) => `low${i}`)
    const edges = [...low.map((to) => ['top', to] as const), ['low0', 'lowest'] as const]
    const graph = { title: '', rows: [{ nodes: ['top'] }, { nodes: low }, { nodes: ['lowest'] }], edges }
    const colours = coloursOf(graph)
    expect(new Set(low.map((node) => colours.get(node))).size).toBe(COLOURS.size)
    expect([...COLOURS.values()]).toContain(colours.get('lowest'))
    expect(colours.has('top')).toBe(false)
  })
})
