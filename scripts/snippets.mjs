// Runs every ```ts block of the documentation from source. A block marked ```ts no-run is only for reading, one marked
// ```ts browser for a page: scripts/browsers runs those.
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { blocksOfPage, programsOfComments } from './documentation/blocks.mjs'

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
let count = 0
let failed = 0
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

const run = (file) =>
  new Promise((resolve) => {
    const args = ['--conditions=@he-ml/source', '--import', 'tsx', file]
    // the time limit is against hanging alone
    execFile(process.execPath, args, { cwd: root, timeout: 600_000 }, (error, stdout, stderr) =>
      resolve({ ok: error === null, output: `${stdout}${stderr}` }),
    )
  })

const waiting = snippets.values()
async function runWaiting() {
  for (const { name, code } of waiting) {
    const file = join(work, `snippet-${++count}.ts`)
    writeFileSync(file, `${code}\nexport {}\n`)
    const { ok, output } = await run(file)
    if (ok) continue
    failed++
    console.error(`snippet failed: ${name}\n${output}`)
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, runWaiting))
rmSync(work, { recursive: true, force: true })
console.log(`snippets: ${count - failed} ran, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
