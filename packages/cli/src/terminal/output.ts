/** What a command says: one JSON document with --json, text otherwise. Results on stdout, everything else on stderr. */
export interface OutputOptions {
  readonly json?: boolean
}

/** Prints a result. */
export function print(options: OutputOptions, json: unknown, text: string | readonly string[]): void {
  if (options.json) process.stdout.write(`${JSON.stringify(json, null, 2)}\n`)
  else process.stdout.write(`${typeof text === 'string' ? text : text.join('\n')}\n`)
}

/** 1234567 -> "1.2 MB". */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = count
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`
}

/** Columns aligned, two spaces between; numbers to the right. */
export function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const text = rows.map((row) => row.map(String))
  const widths = header.map((h, i) => Math.max(h.length, ...text.map((row) => row[i]!.length)))
  const numeric = header.map((_, i) => rows.every((row) => typeof row[i] === 'number'))
  const line = (cells: readonly string[]) =>
    cells
      .map((c, i) => (numeric[i] ? c.padStart(widths[i]!) : c.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd()
  return [line(header), ...text.map(line)]
}
