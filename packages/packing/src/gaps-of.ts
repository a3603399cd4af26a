/** Gaps of any layout. */
import type { Gaps, SlotLayout } from './slot-layout.ts'

/** What slots without an element hold; a batch has none. */
export function gapsOf(layout: SlotLayout): Gaps {
  if (layout.kind === 'batch') return 'zero'
  return layout.kind === 'channel' ? layout.gaps : layout.grid.gaps
}

/** The same places with other gaps. */
export const withGaps = <L extends SlotLayout>(layout: L, gaps: Gaps): L => changed(layout, gaps) as L

function changed(layout: SlotLayout, gaps: Gaps): SlotLayout {
  if (layout.kind === 'batch') return layout
  return layout.kind === 'channel' ? { ...layout, gaps } : { ...layout, grid: { ...layout.grid, gaps } }
}

const ORDER: readonly Gaps[] = ['zero', 'bounded', 'any']

/** The larger of what gaps may hold. */
export const worseGaps = (...gaps: readonly Gaps[]): Gaps => ORDER[Math.max(...gaps.map((g) => ORDER.indexOf(g)))]!
