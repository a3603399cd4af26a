import { percent } from '../terminal/index.ts'
import type { Examination, LayerActivity } from './examine.ts'

/** A paragraph and a table for people. */
export function examinationText({ correct, count, interval, layers, accuracy }: Examination): string {
  const [low, high] = interval.map(percent)
  const head = `test: ${correct} of ${count} right, ${percent(accuracy)} (95 % confidence: ${low} to ${high})`
  const rows = [['layer', 'neurons', 'spikes', 'membrane', 'grid'], ...layers.map(row)]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)))
  const table = rows.map((cells) => `  ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`.trimEnd())
  return [head, ...table].join('\n')
}

function row({ name, neurons, firing, charged: [low, high], grid }: LayerActivity): string[] {
  const on = grid && (grid.onGrid === 1 ? 'all on it' : `ONLY ${percent(grid.onGrid)} ON IT`)
  return [
    name,
    `${neurons}`,
    `${firing.toFixed(3)} per step`,
    `${low.toFixed(2)} to ${high.toFixed(2)}`,
    grid
      ? `${grid.count} points, step ${grid.step.toPrecision(3)}: ${on}, ${percent(grid.atEnds)} at its ends, ${percent(grid.clipped)} clipped`
      : 'none',
  ]
}
