/**
 * Writes the tables of README.md, docs and benchmarks/README.md from benchmarks/results/NAME.jsonl, and what is drawn of them.
 *   node scripts/run.mjs benchmarks/src/tables.ts [--check]
 * --check writes nothing and ends with status 1 when a table is not what its result file says.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceBlocks } from './marked-blocks.ts'
import { plotBatches } from './networks/batch-plot.ts'
import { repositoryRoot, resultsFolder } from './places.ts'
import { markdownTable } from './render-table.ts'
import { parseRows, type Row } from './rows.ts'

const check = process.argv.includes('--check')

const drawings = [
  {
    path: 'docs/notes/batches.svg',
    from: [
      'resnet20-batches',
      'resnet20-512',
      'resnet20-1-thread',
      'resnet20-lowdegree',
      'resnet34-one',
      'resnet34-256',
    ],
    draw: plotBatches,
  },
] as const

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

for (const { path, from, draw } of drawings) {
  const rows = from.flatMap(rowsOf)
  if (rows.length === 0) continue
  const file = join(repositoryRoot, path)
  const after = draw(rows)
  if (existsSync(file) && readFileSync(file, 'utf8') === after) continue
  if (check) {
    console.error(`${path}: it differs from its result files: node scripts/run.mjs benchmarks/src/tables.ts`)
    process.exitCode = 1
  } else {
    writeFileSync(file, after)
    console.error(`${path}: drawn`)
  }
}

function rowsOf(name: string): readonly Row[] {
  const file = join(resultsFolder, `${name}.jsonl`)
  return existsSync(file) ? parseRows(readFileSync(file, 'utf8')).rows : []
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
