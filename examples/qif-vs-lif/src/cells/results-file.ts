/**
 * Results of one experiment: a JSON object per line, each written whole, at once and through to the disk. A process that is
 * killed while it writes leaves at most one line without its end; that line is dropped, and its run is done again.
 */
import { mkdir, open, readFile, truncate } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FormatError, ParameterMismatchError } from '@he-ml/ckks-core'
import { type CellRecord, recordSchema } from './record.ts'
import { type Budget, budgetOf, cellName, digestOf } from './settings.ts'

/**
 * All records, in the file's order; none where there is no file.
 *
 * @throws FormatError for a line that is no record, a hash that is not its settings', or two results of one run that differ
 * @throws the file system's errors, but for a file that does not exist
 */
export async function readRecords(path: string): Promise<CellRecord[]> {
  const text = (await readIfThere(path)) ?? ''
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  const byHash = new Map<string, CellRecord>()
  for (const [index, line] of lines.entries()) {
    if (line === '') continue
    const record = parseRecord(line, `${path}, line ${index + 1}`)
    const other = byHash.get(record.hash)
    if (other && digestOf(other.result) !== digestOf(record.result))
      throw new FormatError(
        `${path}, line ${index + 1}: expected the same result for the same settings, got another one for ` +
          `"${cellName(record.cell)}": the code changed in between, or the machine; remove one of the two lines`,
      )
    if (!other) byHash.set(record.hash, record)
  }
  return [...byHash.values()]
}

function parseRecord(line: string, where: string): CellRecord {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch (cause) {
    throw new FormatError(`${where}: expected a result in JSON: remove the line, and its run is done again`, { cause })
  }
  const parsed = recordSchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    throw new FormatError(`${where}: field "${issue.path.join('.') || '(root)'}": ${issue.message}`)
  }
  const record = parsed.data
  if (digestOf(record.settings) !== record.hash)
    throw new FormatError(`${where}: expected the hash of its settings, got ${record.hash}: the line was changed`)
  return record
}

/** Writes a record behind the last whole one. */
export async function appendRecord(path: string, record: CellRecord): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const file = await open(path, 'a')
  try {
    await file.writeFile(`${JSON.stringify(record)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Cuts off what a killed process left of a line. */
export async function dropUnfinishedLine(path: string): Promise<void> {
  const bytes = Buffer.from((await readIfThere(path)) ?? '')
  const end = bytes.lastIndexOf('\n') + 1
  if (end < bytes.length) await truncate(path, end)
}

/**
 * Refuses records of another budget than the one asked for: they must not be compared.
 *
 * @throws ParameterMismatchError that names what differs
 */
export function requireBudget(path: string, records: readonly CellRecord[], wanted: Budget): void {
  for (const { settings } of records) {
    const found = budgetOf(settings)
    const differing = differences(found, wanted)
    if (differing.length > 0)
      throw new ParameterMismatchError(
        `${path} holds runs of another budget (${differing.join('; ')}): take another --out, or move the file away`,
      )
  }
}

function differences(found: Budget, wanted: Budget): string[] {
  const [before, now] = [flatten(found), flatten(wanted)]
  return [...new Set([...before.keys(), ...now.keys()])]
    .filter((key) => before.get(key) !== now.get(key))
    .map((key) => `${key}: ${before.get(key) ?? 'none'} there, ${now.get(key) ?? 'none'} asked for`)
}

/** Every plain value under its path. */
function flatten(value: unknown, path = '', into = new Map<string, string>()): Map<string, string> {
  if (value !== null && typeof value === 'object')
    for (const [key, inner] of Object.entries(value)) flatten(inner, path === '' ? key : `${path}.${key}`, into)
  else into.set(path, String(value))
  return into
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
