// Runs every ```ts block of the documentation from source, several to a process. A block marked ```ts no-run is only for reading,
// one marked ```ts browser for a page: scripts/browsers runs those.
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { blocksOfPage, programsOfComments } from './documentation/blocks.mjs'
import { runPrograms } from './documentation/run-programs.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const work = join(root, '.snippets')
rmSync(work, { recursive: true, force: true })
// every package by its name, whatever the folder's own manifest lists
mkdirSync(join(work, 'node_modules/@he-ml'), { recursive: true })
for (const name of readdirSync(join(root, 'packages')))
  symlinkSync(join(root, 'packages', name), join(work, 'node_modules/@he-ml', name), 'dir')

function* pages(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (['node_modules', 'dist', 'build', 'api', '.git', '.snippets'].includes(entry.name)) continue
    const path = join(dir, entry.name)
    if (entry.isDirectory()) yield* pages(path)
    else if (entry.name.endsWith('.md')) yield path
  }
}
const only = process.argv[2]
const snippets = []
for (const page of pages(root)) {
  const name = relative(root, page)
  if (only && !name.includes(only)) continue
  const blocks = blocksOfPage(readFileSync(page, 'utf8')).filter((block) => block.runs)
  for (const [i, { code }] of blocks.entries()) snippets.push({ name: `${name} #${i + 1}`, code })
}
// doc comments: @example blocks
function* sources(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (['node_modules', 'dist', 'build', 'native', 'generated'].includes(entry.name)) continue
    const path = join(dir, entry.name)
    if (entry.isDirectory()) yield* sources(path)
    else if (/\.ts$/.test(entry.name) && !/\.test\.ts$/.test(entry.name)) yield path
  }
}
for (const file of sources(join(root, 'packages'))) {
  const name = relative(root, file)
  if (only && !name.includes(only)) continue
  for (const [i, code] of programsOfComments(readFileSync(file, 'utf8')).entries())
    snippets.push({ name: `${name} @example ${i + 1}`, code })
}

const names = new Map()
for (const [i, { name, code }] of snippets.entries()) {
  const file = join(work, `snippet-${i + 1}.ts`)
  writeFileSync(file, `${code}\nexport {}\n`)
  names.set(file, name)
}
const failures = await runPrograms([...names.keys()], {
  processes: availableParallelism(),
  nodeOptions: ['--conditions=@he-ml/source', '--import', 'tsx'],
})
for (const [file, why] of failures) console.error(`snippet failed: ${names.get(file)}\n${why}`)
rmSync(work, { recursive: true, force: true })
console.log(`snippets: ${names.size - failures.size} ran, ${failures.size} failed`)
process.exit(failures.size === 0 ? 0 : 1)
