/**
 * Results are rows: one JSON object per line, the first of them the machine. Names, metrics and units stay what they are,
 * so that runs of different days can be compared; tables in the documentation are made from files of rows.
 */
import { appendFileSync, writeFileSync } from 'node:fs'
import { FormatError, InvalidArgumentError } from '@he-ml/ckks-core'

export type RowParams = Readonly<Record<string, string | number | boolean>>

/** One measured number. */
export interface Row {
  readonly name: string
  readonly params: RowParams
  readonly metric: string
  readonly value: number
  readonly unit: string
  /** Library that the value was measured on, or, for a speedup, against. */
  readonly peer?: string
}

/** The first row of every run. */
export interface MachineRow {
  readonly name: 'machine'
  readonly [key: string]: unknown
}

export type Emit = (row: Row) => void

/** Where rows go: one line each to `print`, and to `file` as they appear, so that a broken run leaves what it had. */
export class RowWriter {
  readonly rows: Row[] = []
  readonly #print: (line: string) => void
  readonly #file: string | undefined

  constructor(machine: MachineRow, print: (line: string) => void, file?: string) {
    this.#print = print
    this.#file = file
    if (file !== undefined) writeFileSync(file, '')
    this.#line(machine)
  }
  /** @throws InvalidArgumentError for a value that is not a number: a failed measurement must not look like a result */
  emit(row: Row): void {
    if (!Number.isFinite(row.value))
      throw new InvalidArgumentError(
        `benchmark row ${row.name}/${row.metric}: expected a finite value, got ${row.value}`,
      )
    this.rows.push(row)
    this.#line({ ...row, value: Number(row.value.toPrecision(6)) })
  }
  #line(row: object): void {
    const text = JSON.stringify(row)
    this.#print(text)
    if (this.#file !== undefined) appendFileSync(this.#file, `${text}\n`)
  }
}

/** Reads a result file. @throws FormatError naming the line */
export function parseRows(text: string): { machine: MachineRow; rows: Row[] } {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const objects = lines.map((line, i) => {
    try {
      return JSON.parse(line) as Record<string, unknown>
    } catch (error) {
      throw new FormatError(`result file, line ${i + 1}: not JSON: ${(error as Error).message}`)
    }
  })
  const [machine, ...rows] = objects
  if (machine?.name !== 'machine') throw new FormatError('result file, line 1: expected the machine row')
  for (const [i, row] of rows.entries()) {
    const fits =
      typeof row.name === 'string' &&
      typeof row.metric === 'string' &&
      typeof row.unit === 'string' &&
      typeof row.value === 'number' &&
      typeof row.params === 'object' &&
      row.params !== null
    if (!fits)
      throw new FormatError(
        `result file, line ${i + 2}: expected name, params, metric, value and unit, got ${lines[i + 1]}`,
      )
  }
  return { machine: machine as MachineRow, rows: rows as unknown as Row[] }
}
