// @ts-check
/** What packages claim of browsers, of the packages as they are published: all that they export bundles, and their programs for pages do. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleForBrowsers } from '../browsers/bundle.mjs'
import { browserClaim } from '../browsers/claims.mjs'

/** @typedef {import('./consumers.mjs').Consumer} Consumer */

/** @param {readonly Consumer[]} consumers @returns {Promise<{ count: number, problems: string[] }>} how many were bundled */
export async function bundlePrograms(consumers) {
  /** @type {string[]} */
  const problems = []
  let count = 0
  for (const { name, folder } of consumers) {
    const read = (/** @type {string} */ file) => readFileSync(join(folder, 'node_modules', name, file), 'utf8')
    const claim = browserClaim(JSON.parse(read('package.json')), read('README.md'))
    for (const code of [
      ...(claim?.modules.map((path) => `export * from '${path}'`) ?? []),
      ...(claim?.programs ?? []),
    ]) {
      count++
      for (const problem of (await bundleForBrowsers(code, { folder })).problems)
        problems.push(`${name}: in a browser: ${problem}`)
    }
  }
  return { count, problems }
}
