// What is written, by the address that its page has on the site: Markdown of the repository, and comments of what is exported.
import { ReflectionKind } from 'typedoc'

/** @param name path of a page of Markdown @returns the address of its page; undefined where it has none, or one that is not searched */
function addressOf(name) {
  const [, folder, rest] = /^packages\/([^/]+)\/(.*)$/.exec(name) ?? []
  if (folder !== undefined) return rest === 'README.md' ? `modules/_he-ml_${folder}.html` : undefined
  // notes for a release become pages of others; the front page is where searching starts
  if (name.startsWith('.') || name === 'README.md') return undefined
  return `documents/${name.replace(/\.md$/, '').replaceAll('/', '_')}.html`
}

/**
 * The pages that the site must have, without their code, which typedoc searches too but readers seldom.
 * @param pages of Markdown, by path
 * @returns text by address
 */
export const pageTexts = (pages) =>
  new Map(
    [...pages].flatMap(([name, text]) => {
      const address = addressOf(name)
      return address === undefined ? [] : [[address, text.replace(/^```[\s\S]*?^```/gm, '')]]
    }),
  )

/**
 * A function of each module, with what its comment says first.
 * @param project typedoc's JSON
 * @returns text by address
 */
export function functionTexts(project) {
  const texts = new Map()
  const visit = ({ children = [] }, module) => {
    const commented = children.find(
      ({ kind, signatures }) => kind === ReflectionKind.Function && signatures?.[0]?.comment?.summary.length > 0,
    )
    if (commented !== undefined)
      texts.set(
        `functions/${module}.${commented.name}.html`,
        commented.signatures[0].comment.summary.map(({ text }) => text).join(''),
      )
    for (const child of children)
      if (child.kind === ReflectionKind.Module)
        visit(child, [module, child.name.replace(/[@/]/g, '_')].filter(Boolean).join('.'))
  }
  visit(project, '')
  return texts
}
