/** Rows as tables for people: parameters that do not change go into one line above. */
import type { MachineRow, Row, RowParams } from './rows.ts'

interface Shaped {
  readonly common: RowParams
  readonly lines: readonly (readonly string[])[]
}

const HEADINGS = ['what', 'setting', 'metric', 'value', 'library'] as const

/** A number as a reader wants it: three significant digits, no exponent. */
export function display(value: number): string {
  const magnitude = Math.abs(value)
  if (magnitude === 0) return '0'
  if (magnitude >= 100) return value.toFixed(0)
  return value.toFixed(Math.min(9, Math.max(0, 2 - Math.floor(Math.log10(magnitude)))))
}

export const describeParams = (params: RowParams): string =>
  Object.entries(params)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ')

function shape(rows: readonly Row[]): Shaped {
  const common: Record<string, string | number | boolean> = {}
  for (const [key, value] of Object.entries(rows[0]?.params ?? {}))
    if (rows.every((row) => row.params[key] === value)) common[key] = value
  const lines = rows.map((row) => {
    const own = Object.fromEntries(Object.entries(row.params).filter(([key]) => !(key in common)))
    const library = row.peer === undefined ? 'HE-ML' : row.unit === 'x' ? `HE-ML against ${row.peer}` : row.peer
    return [row.name, describeParams(own), row.metric, `${display(row.value)} ${row.unit}`, library]
  })
  return { common, lines }
}

/** Aligned columns. */
export function terminalTable(rows: readonly Row[]): string {
  const { common, lines } = shape(rows)
  const all = [HEADINGS as readonly string[], ...lines]
  const widths = HEADINGS.map((_, i) => Math.max(...all.map((line) => line[i]!.length)))
  const text = all.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  )
  return [describeParams(common), ...text].filter((line) => line !== '').join('\n')
}

/** A Markdown table with the machine and the command below it. */
export function markdownTable(machine: MachineRow, rows: readonly Row[]): string {
  const { common, lines } = shape(rows)
  const peers = rows.some((row) => row.peer !== undefined)
  const columns = peers ? HEADINGS.length : HEADINGS.length - 1
  const line = (cells: readonly string[]) => `| ${cells.slice(0, columns).map(escapeCell).join(' | ')} |`
  const table = [line(HEADINGS), `|${' --- |'.repeat(columns)}`, ...lines.map(line)]
  const load = Array.isArray(machine.loadBefore) ? machine.loadBefore[0] : machine.loadBefore
  const setting = Object.keys(common).length === 0 ? '' : `All: ${describeParams(common)}. `
  const caption =
    `${setting}${machine.cpu}, ${machine.cores} cores, kernel ${machine.kernel}, load before ${load}, ` +
    `Node ${machine.node}, ${machine.compiler}, commit ${machine.commit}. \`${machine.command}\``
  return [...table, '', caption].join('\n')
}

const escapeCell = (text: string): string => text.replaceAll('|', '\\|')
