// Where a relative link of a Markdown page leads on the site: to a page, to a file that browsers show, which lies beside the pages, or
// to the repository.
import { existsSync, statSync } from 'node:fs'
import { dirname, extname, join, relative, resolve } from 'node:path'

/** Shown by browsers, so copied to the site. */
export const SHOWN = ['.svg', '.png', '.json', '.jsonl']

/**
 * @param link as it stands on the page
 * @param at `page`: the absolute path of the page; `root` and `repository`: the folder of all and its address; `isPage`: whether the
 *   site has a page for a file or folder
 * @returns `file`: the absolute path of what typedoc should lead to instead; `url`: an address elsewhere; neither: right as it is
 */
export function linkTarget(link, { page, root, repository, isPage }) {
  const [address, anchor] = link.split('#')
  const path = resolve(dirname(page), decodeURI(address))
  if (!existsSync(path) || isPage(path)) return {}
  const isFolder = statSync(path).isDirectory()
  const readme = join(path, 'README.md')
  if (isFolder && existsSync(readme) && isPage(readme)) return { file: readme }
  if (!isFolder && SHOWN.includes(extname(path))) return {}
  const url = `${repository}/${isFolder ? 'tree' : 'blob'}/main/${encodeURI(relative(root, path))}`
  return { url: anchor === undefined ? url : `${url}#${anchor}` }
}
