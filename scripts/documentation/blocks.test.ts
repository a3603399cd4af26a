import { describe, expect, it } from 'vitest'
import { blocksOfPage, packagesImported, programsOfComments, standsAlone, usesNode } from './blocks.mjs'

describe('TypeScript of documentation', () => {
  it('is every block of a page, also those only for reading', () => {
    const page = 'A\n```ts\nrun()\n```\n```sh\nls\n```\n```ts no-run\nread()\n```\n```ts browser\nshow()\n```\n'
    expect(blocksOfPage(page)).toEqual([
      { code: 'run()\n', runs: true, browser: false },
      { code: 'read()\n', runs: false, browser: false },
      { code: 'show()\n', runs: false, browser: true },
    ])
  })
  it('is the programs of doc comments, without the margin', () => {
    const source = '/**\n * @example\n * ```ts\n * const a = 1\n *\n * use(a)\n * ```\n */\n'
    expect(programsOfComments(source)).toEqual(['const a = 1\n\nuse(a)\n'])
  })
  it('imports packages: by name, whole, once, and not files or modules of Node', () => {
    const code = `import { a } from '@he-ml/a/client'\nimport b from 'b-c'\nimport 'd/e'
      const f = await import('@he-ml/f'), g = await import('@he-ml/a')
      import x from './x.js'\nimport { y } from 'node:fs'`
    expect(packagesImported(code)).toEqual(['@he-ml/a', 'b-c', 'd', '@he-ml/f'])
    expect(usesNode(code)).toBe(true)
    expect(usesNode(`import 'd'`)).toBe(false)
  })
  it('is whole when it runs, or imports packages alone', () => {
    const reading = (code: string) => standsAlone({ code, runs: false })
    expect(standsAlone({ code: 'run()', runs: true })).toBe(true)
    expect(reading(`import { a } from 'a'`)).toBe(true)
    expect(reading(`import { a } from 'a'\nimport { b } from './b.js'`)).toBe(false)
    expect(reading('a()')).toBe(false)
  })
})
