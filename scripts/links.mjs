// Every relative link of a Markdown page leads to a file of the repository, and to a heading where it names one.
//   node scripts/links.mjs
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brokenLinks } from './links/broken-links.mjs'
import * as markdown from './links/markdown.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const listed = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
if (listed.status !== 0) throw new Error(`links: git lists no files: ${listed.stderr}`)
const names = listed.stdout.split('\n').filter((name) => name !== '' && existsSync(join(root, name)))
const pages = new Map(names.map((name) => [name, readFileSync(join(root, name), 'utf8')]))
const problems = brokenLinks(root, pages, markdown)
for (const problem of problems) console.error(`links: ${problem}`)
if (problems.length === 0) console.log(`links: ${pages.size} pages of Markdown, every link leads somewhere`)
process.exitCode = problems.length === 0 ? 0 : 1
