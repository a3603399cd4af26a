import { describe, expect, it } from 'vitest'
import { browserClaim } from './claims.mjs'

const manifest = { name: '@he-ml/a', exports: { '.': {}, './client': {}, './client/node': {}, './package.json': '' } }
const program = (mark: string, code: string) => `\`\`\`ts${mark}\n${code}\n\`\`\`\n`

describe('what a package says of browsers', () => {
  it('is nothing without a point of that name', () => {
    expect(browserClaim(manifest, 'It runs in browsers.')).toBeUndefined()
  })
  it('holds for all modules but those for Node, and for the programs that a page can run', () => {
    const page = [
      program('', `import { a } from '@he-ml/a'`),
      program('', `import fs from 'node:fs'`),
      program('', `import { n } from '@he-ml/ckks-native/client'`),
      program('', `import { e } from '@he-ml/ckks-seal'`),
      program(' no-run', `import { c } from '@he-ml/a/client'`),
      program(' browser', `import { b } from '@he-ml/a/client'`),
      '- **Browsers**: yes.\n',
    ].join('')
    expect(browserClaim(manifest, page)).toEqual({
      name: '@he-ml/a',
      modules: ['@he-ml/a', '@he-ml/a/client'],
      programs: [`import { a } from '@he-ml/a'\n`, `import { b } from '@he-ml/a/client'\n`],
    })
  })
})
