// What is wrong with single pages of the built site: headings, and links to what browsers do not show.
import { existsSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import { linksOf } from '../links/html.mjs'
import { SHOWN } from './link-target.mjs'

/** Links to a file or folder of the repository. */
const REPOSITORY = /^https:\/\/github\.com\/he-ml\/he-ml\/(blob|tree)\/main\/([^#?]*)/

function* problemsOf(text, root) {
  const titles = text.match(/<h1[\s>]/g)?.length ?? 0
  if (titles !== 1) yield `has ${titles} headings of the first order, not one`
  for (const link of new Set(linksOf(text))) {
    const copy = /^(?:\.\.\/)*media\/([^#?]*)/.exec(link)?.[1]
    if (copy !== undefined && !SHOWN.includes(extname(copy)))
      yield `"${link}" leads to a copy that browsers do not show: a page of Markdown belongs to "projectDocuments" of typedoc.json`
    const [, kind, path] = REPOSITORY.exec(link) ?? []
    if (path === undefined) continue
    const file = join(root, decodeURI(path))
    if (!existsSync(file) || statSync(file).isDirectory() !== (kind === 'tree'))
      yield `"${link}" leads to no ${kind === 'tree' ? 'folder' : 'file'} of the repository`
  }
}

/**
 * @param pages their text by path
 * @param root of the repository
 * @returns a sentence for each problem
 */
export const pageProblems = (pages, root) =>
  [...pages].flatMap(([page, text]) => [...problemsOf(text, root)].map((problem) => `${page}: ${problem}`))
