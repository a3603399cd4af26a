import { describe, expect, it } from 'vitest'
import { folderOf } from './repository.test-helper.ts'
import { importedPath, readSourceFiles } from './source-files.mjs'

describe('readSourceFiles', () => {
  it('sees every kind of import, and none in comments and texts', () => {
    const text = `
/** import { no } from './comment.ts' */
import './effect.ts'
import type { A } from './type.ts'
import { type B, c } from './mixed.ts'
export * from '@he-ml/star'
export type { D } from './type-again.ts'
// import './line.ts'
const said = "import { no } from './text.ts'"
export type E = import('./inline.ts').E
export const later = () => import('./later.ts')
`
    const [file] = readSourceFiles(folderOf({ 'src/a.ts': text }))
    expect(file?.imports.toSorted()).toEqual([
      './effect.ts',
      './inline.ts',
      './later.ts',
      './mixed.ts',
      './type-again.ts',
      './type.ts',
      '@he-ml/star',
    ])
  })

  it('knows tests, and looks into no folder of products', () => {
    const files = readSourceFiles(
      folderOf({
        'src/native/a.ts': '',
        'src/a.test.ts': '',
        'src/a.test-helper.ts': '',
        'src/testing/b.ts': '',
        'src/latest.ts': '',
        'dist/a.ts': '',
        'node_modules/x/a.ts': '',
        'src/a.txt': '',
      }),
    )
    const paths = (isTest: boolean) =>
      files
        .filter((file) => file.isTest === isTest)
        .map(({ path }) => path)
        .sort()
    expect(paths(false)).toEqual(['src/latest.ts', 'src/native/a.ts'])
    expect(paths(true)).toEqual(['src/a.test-helper.ts', 'src/a.test.ts', 'src/testing/b.ts'])
  })

  it('follows relative imports alone', () => {
    expect(importedPath('src/a/b.ts', '../c.ts')).toBe('src/c.ts')
    expect(importedPath('src/a/b.ts', './c.ts')).toBe('src/a/c.ts')
    expect(importedPath('src/a/b.ts', 'node:fs')).toBeUndefined()
  })
})
