import { expect, it } from 'vitest'
import { hiddenEntryPoints } from './entry-points.mjs'

it('finds subpaths that typedoc is not told of', () => {
  const exports = {
    '.': { '@he-ml/source': './src/index.ts', default: './dist/index.js' },
    './node': { '@he-ml/source': './src/node/index.ts', default: './dist/node/index.js' },
    './package.json': './package.json',
  }
  expect(hiddenEntryPoints(exports, ['src/index.ts'])).toEqual(['src/node/index.ts'])
  expect(hiddenEntryPoints(exports, ['src/index.ts', 'src/node/index.ts'])).toEqual([])
})
