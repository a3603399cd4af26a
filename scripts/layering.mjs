// Enforces the layering of ARCHITECTURE.md and keeps its figures true.
//   node scripts/layering.mjs          fails on a wrong edge between packages or between the folders inside one, on a circle of
//                                      folders or files, on a client import where secrets must not be, on a stale figure
//   node scripts/layering.mjs --write  redraws the figures
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkLayering } from './layering/check-layering.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { problems, page, isStale, packages, drawn } = checkLayering(root)
if (process.argv.includes('--write')) writeFileSync(join(root, 'ARCHITECTURE.md'), page)
else if (isStale) problems.push('ARCHITECTURE.md: a layering figure is stale; run node scripts/layering.mjs --write')

for (const problem of problems) console.error(`layering: ${problem}`)
if (problems.length === 0)
  console.log(
    `layering: ${packages} packages, every edge downwards, between the folders of ${drawn} of them too; no circle anywhere`,
  )
process.exitCode = problems.length === 0 ? 0 : 1
