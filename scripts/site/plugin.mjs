// What typedoc does otherwise than by itself for the site: links of Markdown pages to folders and sources lead somewhere, a page has one
// heading of the first order, pages are named after theirs, and READMEs of packages are searched.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { IndexEvent, PageEvent, ReflectionKind, RendererEvent } from 'typedoc'
import { linkTarget } from './link-target.mjs'
import { titleOf, withoutTitle } from './titles.mjs'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const repository = 'https://github.com/he-ml/he-ml'

const modulesOf = ({ children = [] }) => children.filter(({ kind, readme }) => kind === ReflectionKind.Module && readme)

/** The parts of each page that is written in Markdown, and where that is. */
const writtenPages = (project) => [
  { path: join(root, 'README.md'), parts: project.readme ?? [] },
  ...modulesOf(project).map(({ name, readme }) => ({
    path: join(root, 'packages', name.replace('@he-ml/', ''), 'README.md'),
    parts: readme,
  })),
  ...(project.documents ?? []).map((document) => ({
    path: project.files.getReflectionPath(document),
    parts: document.content,
  })),
]

/** Leads links of a page where the site has something. */
function mendLinks(project, { path, parts }) {
  const isPage = (file) =>
    typeof project.files.resolve(project.files.registerAbsolute(file).target, project) === 'object'
  for (const part of parts) {
    if (part.kind !== 'relative-link') continue
    const { file, url } = linkTarget(part.text, { root, repository, page: path, isPage })
    if (url !== undefined) Object.assign(part, { kind: 'text', text: url })
    else if (file !== undefined) part.target = project.files.registerAbsolute(file).target
  }
}

/** typedoc calls this with its application. */
export function load(app) {
  app.on('bootstrapEnd', () => {
    // addresses are links where they begin with https:, not where a file is called like a host: README.md
    app.options.setValue('markdownItLoader', (parser) => parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false }))
  })
  app.renderer.on(RendererEvent.BEGIN, ({ project }) => {
    for (const page of writtenPages(project)) mendLinks(project, page)
    for (const module of modulesOf(project)) withoutTitle(module.readme)
    for (const document of project.documents ?? []) document.name = titleOf(document.content, document.name)
  })
  app.renderer.on(IndexEvent.PREPARE_INDEX, ({ searchResults, searchFields }) => {
    for (const [i, { readme }] of searchResults.entries())
      if (readme) searchFields[i].document = readme.map(({ text }) => text).join('')
  })
  // a folder is a page only where a server makes it one
  app.renderer.on(PageEvent.END, (page) => {
    page.contents = page.contents?.replace(/(?<= href=")((?:\.\.?\/)+)(?=[#"])/g, '$1index.html')
  })
}
