// The site of the API: every link of it leads somewhere, a page has one title, searching finds what is written, everything that is
// exported is explained, and what readers begin with has an example. It is written to a folder for the time of the check only;
// `npm run docs` writes it to docs/api.
//   node scripts/api.mjs
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { apiProblems } from './api/api-problems.mjs'
import { hiddenEntryPoints } from './api/entry-points.mjs'
import { exampleProblems } from './api/example-problems.mjs'
import { brokenLinks } from './links/broken-links.mjs'
import * as html from './links/html.mjs'
import { markdownPages } from './links/markdown-pages.mjs'
import { pageProblems } from './site/page-problems.mjs'
import { readSearch, searchProblems } from './site/search-problems.mjs'
import { functionTexts, pageTexts } from './site/written-texts.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = mkdtempSync(join(tmpdir(), 'he-ml-api-'))

/** What readers begin with: these have an example each. */
const EXAMPLES = {
  '@he-ml/pipeline': 'all',
  '@he-ml/session': [
    ...['openClient', 'openServer', 'createClientFolder', 'openClientFolder', 'writeServerFolder', 'openServerFolder'],
    ...['connectServer', 'answer', 'loopback', 'streamConnection', 'diffRun'],
  ],
}

const readJson = (...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8'))

function hidden(name) {
  const { exports } = readJson('packages', name, 'package.json')
  const { entryPoints } = readJson('packages', name, 'typedoc.json')
  return hiddenEntryPoints(exports, entryPoints).map(
    (source) => `packages/${name}/typedoc.json: "entryPoints" lacks ${source}, which the package offers`,
  )
}

/** What searching does not find: pages of Markdown, a function of each module. */
function notFound(site, project) {
  const search = readSearch(readFileSync(join(site, 'assets/search.js'), 'utf8'))
  return [
    ...searchProblems(search, 'document', pageTexts(markdownPages(root))),
    ...searchProblems(search, 'comment', functionTexts(project)),
  ]
}

function check() {
  const site = join(folder, 'site')
  const json = join(folder, 'api.json')
  const typedoc = join(root, 'node_modules/.bin/typedoc')
  const result = spawnSync(typedoc, ['--out', site, '--json', json, '--logLevel', 'Warn'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (result.status !== 0) return [`typedoc: ${result.stdout}${result.stderr}${result.error ?? ''}`]
  const names = readdirSync(site, { recursive: true }).filter((name) => name.endsWith('.html'))
  const pages = new Map(names.map((name) => [name, readFileSync(join(site, name), 'utf8')]))
  console.log(`api: ${pages.size} pages`)
  const project = JSON.parse(readFileSync(json, 'utf8'))
  return [
    ...readdirSync(join(root, 'packages')).flatMap(hidden),
    ...apiProblems(project),
    ...exampleProblems(project, EXAMPLES),
    ...brokenLinks(site, pages, html),
    ...pageProblems(pages, root),
    ...notFound(site, project),
  ]
}

try {
  const problems = check()
  for (const problem of problems) console.error(`api: ${problem}`)
  process.exitCode = problems.length === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
