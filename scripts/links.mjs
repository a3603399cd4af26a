// Every relative link of a Markdown page leads to a file of the repository, and to a heading where it names one.
//   node scripts/links.mjs
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brokenLinks } from './links/broken-links.mjs'
import * as markdown from './links/markdown.mjs'
import { markdownPages } from './links/markdown-pages.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const pages = markdownPages(root)
const problems = brokenLinks(root, pages, markdown)
for (const problem of problems) console.error(`links: ${problem}`)
if (problems.length === 0) console.log(`links: ${pages.size} pages of Markdown, every link leads somewhere`)
process.exitCode = problems.length === 0 ? 0 : 1
