// The pages of Markdown of the repository.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** @param root a checkout of git @returns the text of each page that git knows or would add, by its path below */
export function markdownPages(root) {
  const listed = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (listed.status !== 0) throw new Error(`git lists no files: ${listed.stderr}`)
  const names = listed.stdout.split('\n').filter((name) => name !== '' && existsSync(join(root, name)))
  return new Map(names.map((name) => [name, readFileSync(join(root, name), 'utf8')]))
}
