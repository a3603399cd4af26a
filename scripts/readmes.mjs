// Every package's README has exactly the five headings, in order, each with something under it; what its programs import stands
// in its lines that install, for npm and pnpm; and the README of the repository names every package.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installProblems } from './documentation/install-lines.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const WANTED = ['Install', 'Use', 'Concepts', 'Errors', 'See also']
const problems = []
const names = readdirSync(join(root, 'packages'))
const overview = readFileSync(join(root, 'README.md'), 'utf8')

for (const name of names) {
  const page = `packages/${name}/README.md`
  const whole = readFileSync(join(root, page), 'utf8')
  // code blocks may hold lines that look like headings
  const text = whole.replace(/^```[\s\S]*?^```/gm, 'code')
  if (!overview.includes(`(packages/${name})`)) problems.push(`README.md: the table of packages lacks ${name}`)
  for (const problem of installProblems(whole, `@he-ml/${name}`)) problems.push(`${page}: ${problem}`)
  const [title, ...sections] = text.split(/^## /m)
  if (!title.startsWith(`# @he-ml/${name}\n`)) problems.push(`${page}: the title must be "# @he-ml/${name}"`)
  const headings = sections.map((section) => section.split('\n')[0].trim())
  if (String(headings) !== String(WANTED))
    problems.push(`${page}: expected the headings ${WANTED.join(', ')}, got ${headings.join(', ')}`)
  for (const [i, section] of sections.entries())
    if (section.split('\n').slice(1).join('').trim() === '') problems.push(`${page}: nothing under "${headings[i]}"`)
}
for (const problem of problems) console.error(`readmes: ${problem}`)
if (problems.length === 0)
  console.log(`readmes: ${names.length} packages with the five headings, installing what they import`)
process.exit(problems.length === 0 ? 0 : 1)
