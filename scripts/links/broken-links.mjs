// Links that lead nowhere, in a set of pages of one kind.
import { existsSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** Leads out of the set: `https:`, `mailto:`, `data:` and the like. */
const isElsewhere = (target) => /^[a-z][a-z0-9+.-]*:|^\/\//i.test(target)

function parts(target) {
  const [address, ...anchor] = target.split('#')
  return { path: decodeURIComponent(address.split('?')[0]), anchor: decodeURIComponent(anchor.join('#')) }
}

/**
 * Reads every page and follows its links to files and anchors.
 * @param pages text of each page, by its path below `root`
 * @param kind how links and anchors are found in the text of a page; `index`: the file that a link to a folder shows, if it needs one
 * @returns a sentence for each link that leads nowhere; anchors are looked for in pages of the set only
 */
export function brokenLinks(root, pages, kind) {
  const anchors = new Map()
  const anchorsOf = (path) => {
    if (!anchors.has(path)) anchors.set(path, new Set(kind.anchorsOf(pages.get(path))))
    return anchors.get(path)
  }
  const shown = (path) =>
    kind.index && existsSync(join(root, path)) && statSync(join(root, path)).isDirectory()
      ? join(path, kind.index)
      : path
  const problems = new Set()
  for (const [page, text] of pages)
    for (const target of kind.linksOf(text)) {
      if (isElsewhere(target)) continue
      const { path, anchor } = parts(target)
      const file = path === '' ? page : shown(normalize(join(dirname(page), path)))
      if (file.startsWith('..') || path.startsWith('/')) problems.add(`${page}: "${target}" leads out of the folder`)
      else if (!existsSync(join(root, file))) problems.add(`${page}: "${target}" leads to a file that is not there`)
      else if (anchor !== '' && pages.has(file) && !anchorsOf(file).has(anchor))
        problems.add(`${page}: "${target}" leads to no heading or element of ${file}`)
    }
  return [...problems]
}
