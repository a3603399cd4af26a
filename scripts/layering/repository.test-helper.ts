import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Files by path; undefined for one that is not there. */
export type Files = Readonly<Record<string, string | undefined>>

/** A folder with these files, until the test ends. */
export function folderOf(files: Files): string {
  const root = mkdtempSync(join(tmpdir(), 'he-ml-layering-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    if (text === undefined) continue
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

const manifest = (...dependencies: readonly string[]): string =>
  JSON.stringify({ dependencies: Object.fromEntries(dependencies.map((name) => [`@he-ml/${name}`, 'workspace:*'])) })

const layers = {
  packages: {
    base: { layer: 0, uses: [], folders: ['low', 'high', 'client'] },
    middle: { layer: 1, uses: ['base'] },
    top: { layer: 2, uses: ['base', 'middle'] },
  },
  clientAllowed: ['packages/top'],
}

/** Two layered packages, one program on the client's side, and an example; nothing wrong with them but the empty figures. */
export const SOUND: Files = {
  'scripts/layers.json': JSON.stringify(layers),
  'ARCHITECTURE.md':
    '# Page\n<!-- layering:begin -->\n<!-- layering:end -->\n<!-- folders:begin -->\n<!-- folders:end -->\n',
  'packages/base/package.json': manifest(),
  'packages/base/src/index.ts': "export * from './high/big.ts'\n",
  'packages/base/src/low/small.ts': 'export const small = 1\nexport type Small = number\n',
  'packages/base/src/high/big.ts': "import { small } from '../low/small.ts'\nexport const big = small\n",
  'packages/base/src/client/secret.ts': "export { big as secret } from '../high/big.ts'\n",
  'packages/middle/package.json': manifest('base'),
  'packages/middle/src/index.ts': "import { big } from '@he-ml/base'\nexport const middle = big\n",
  'packages/middle/src/index.test.ts': "import { secret } from '@he-ml/base/client'\nexport const tested = secret\n",
  'packages/top/package.json': manifest('base', 'middle'),
  'packages/top/src/main.ts': "import { secret } from '@he-ml/base/client'\nexport const main = secret\n",
  'examples/one/package.json': manifest('top'),
  'examples/one/src/demo.ts': "import { main } from '@he-ml/top'\nexport const demo = main\n",
}

/** The table of layers with a change. */
export function changedLayers(change: (table: typeof layers) => void): string {
  const table = structuredClone(layers)
  change(table)
  return JSON.stringify(table)
}
