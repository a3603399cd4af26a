// Every package's README has exactly the five headings, in order, each with something under it.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const WANTED = ['Install', 'Use', 'Concepts', 'Errors', 'See also']
const problems = []
const names = readdirSync(join(root, 'packages'))
for (const name of names) {
  const page = `packages/${name}/README.md`
  // code blocks may hold lines that look like headings
  const text = readFileSync(join(root, page), 'utf8').replace(/^```[\s\S]*?^```/gm, 'code')
  const [title, ...sections] = text.split(/^## /m)
  if (!title.startsWith(`# @he-ml/${name}\n`)) problems.push(`${page}: the title must be "# @he-ml/${name}"`)
  const headings = sections.map((section) => section.split('\n')[0].trim())
  if (String(headings) !== String(WANTED))
    problems.push(`${page}: expected the headings ${WANTED.join(', ')}, got ${headings.join(', ')}`)
  for (const [i, section] of sections.entries())
    if (section.split('\n').slice(1).join('').trim() === '') problems.push(`${page}: nothing under "${headings[i]}"`)
}
for (const problem of problems) console.error(`readmes: ${problem}`)
if (problems.length === 0) console.log(`readmes: ${names.length} packages with the five headings`)
process.exit(problems.length === 0 ? 0 : 1)
