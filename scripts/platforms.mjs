// Platform packages: their manifests and READMEs are what the template says, with the main package's version, which depends on them.
//   node scripts/platforms.mjs          fails on what differs
//   node scripts/platforms.mjs --write  writes manifests and READMEs
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ADDONS, filesOf, mainProblems, platformPackages } from './platforms/platform-packages.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const files = platformPackages().flatMap((of) => filesOf(root, of))
if (process.argv.includes('--write'))
  for (const { path, text } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }

const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'))
const { fixed } = readJson('.changeset/config.json')
/** A version and its log are released in one commit; formatting is the formatter's business. */
const isAsWanted = ({ path, text }) => {
  if (!existsSync(join(root, path))) return false
  const there = readFileSync(join(root, path), 'utf8')
  return path.endsWith('.json')
    ? JSON.stringify(JSON.parse(there)) === JSON.stringify(JSON.parse(text))
    : there === text
}
const problems = [
  ...files
    .filter((file) => !isAsWanted(file))
    .map(({ path }) => `${path} is not what the template gives; run node scripts/platforms.mjs --write`),
  ...Object.keys(ADDONS).flatMap((main) => mainProblems(main, readJson(`packages/${main}/package.json`), fixed)),
]
for (const problem of problems) console.error(`platforms: ${problem}`)
if (problems.length === 0) console.log(`platforms: ${files.length / 2} packages, of one version with their main ones`)
process.exit(problems.length === 0 ? 0 : 1)
