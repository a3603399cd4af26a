/**
 * Writes the tables of README.md, docs and benchmarks/README.md from benchmarks/results/NAME.jsonl.
 *   node scripts/run.mjs benchmarks/src/tables.ts [--check]
 * --check writes nothing and ends with status 1 when a table is not what its result file says.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceBlocks } from './marked-blocks.ts'
import { repositoryRoot, resultsFolder } from './places.ts'
import { markdownTable } from './render-table.ts'
import { parseRows } from './rows.ts'

const check = process.argv.includes('--check')

const documents = ['README.md', 'benchmarks/README.md', ...markdownBelow('docs')].filter((path) =>
  existsSync(join(repositoryRoot, path)),
)
for (const path of documents) {
  const file = join(repositoryRoot, path)
  const before = readFileSync(file, 'utf8')
  const after = replaceBlocks(before, table, path)
  if (after === before) continue
  if (check) {
    console.error(`${path}: a table differs from its result file: node scripts/run.mjs benchmarks/src/tables.ts`)
    process.exitCode = 1
  } else {
    writeFileSync(file, after)
    console.error(`${path}: tables written`)
  }
}

function table(name: string): string | undefined {
  const file = join(resultsFolder, `${name}.jsonl`)
  if (!existsSync(file)) return undefined
  const { machine, rows } = parseRows(readFileSync(file, 'utf8'))
  return markdownTable(machine, rows)
}

function markdownBelow(folder: string): string[] {
  return readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .sort()
    .map((path) => join(folder, path))
}
