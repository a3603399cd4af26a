// Enforces the layering of ARCHITECTURE.md and keeps its figures true.
//   node scripts/layering.mjs          fails on a wrong edge between packages or between the folders inside one, on a circle of
//                                      folders or files, on a client import where secrets must not be, on a stale figure
//   node scripts/layering.mjs --write  redraws the figures
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkLayering } from './layering/check-layering.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { problems, files, stale, packages, drawn } = checkLayering(root)
for (const path of stale) {
  const text = files.get(path)
  if (!process.argv.includes('--write')) problems.push(`${path} is stale; run node scripts/layering.mjs --write`)
  else if (text === undefined) rmSync(join(root, path))
  else {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

for (const problem of problems) console.error(`layering: ${problem}`)
if (problems.length === 0)
  console.log(
    `layering: ${packages} packages, every edge downwards, between the folders of ${drawn} of them too; no circle anywhere`,
  )
process.exitCode = problems.length === 0 ? 0 : 1
