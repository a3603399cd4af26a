import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkLayering } from './check-layering.mjs'
import { changedLayers, type Files, folderOf, SOUND } from './repository.test-helper.ts'

/** What is wrong with a sound repository after a change. */
const problemsOf = (change: Files): string[] => checkLayering(folderOf({ ...SOUND, ...change })).problems

describe('checkLayering', () => {
  it('has nothing to say of a sound repository', () => {
    const found = checkLayering(folderOf(SOUND))
    expect(found.problems).toEqual([])
    expect(found).toMatchObject({ packages: 3, drawn: 1 })
  })

  it('finds an edge that goes up, wherever it is written', () => {
    expect(
      problemsOf({
        'scripts/layers.json': changedLayers(({ packages }) => Object.assign(packages.base, { uses: ['middle'] })),
      }),
    ).toEqual(['scripts/layers.json: base (layer 0) -> middle is not downwards'])
    expect(
      problemsOf({ 'packages/middle/package.json': '{ "peerDependencies": { "@he-ml/top": "workspace:*" } }' }),
    ).toEqual(['packages/middle/package.json depends on @he-ml/top: not an allowed edge'])
    expect(problemsOf({ 'packages/base/src/low/up.ts': "import type { M } from '@he-ml/middle'\n" })).toEqual([
      'packages/base/src/low/up.ts imports @he-ml/middle: not an allowed edge',
    ])
    expect(problemsOf({ 'packages/base/src/low/small.ts': "export * from '../client/other.ts'\n" })).toContain(
      'packages/base/src/low/small.ts: low may not import client, which is above it',
    )
  })

  it('finds circles in packages and in examples', () => {
    expect(
      problemsOf({
        'examples/one/src/a.ts': "import type { B } from './b.ts'\nexport type A = B\n",
        'examples/one/src/b.ts': "import type { A } from './a.ts'\nexport type B = A\n",
      }),
    ).toEqual(['examples/one/src: a circle of files: a.ts -> b.ts -> a.ts'])
    expect(problemsOf({ 'packages/base/src/low/small.ts': "export * from '../high/big.ts'\n" })).toContain(
      'packages/base/src: a circle of files: high/big.ts -> low/small.ts -> high/big.ts',
    )
  })

  it('finds secrets where they must not be, and leaves the client’s side and tests alone', () => {
    const index = "import { secret } from '@he-ml/base/client'\nexport const middle = secret\n"
    expect(problemsOf({ 'packages/middle/src/index.ts': index })).toEqual([
      'packages/middle/src/index.ts imports @he-ml/base/client: secret keys are for clients only',
    ])
    expect(problemsOf({ 'examples/one/src/demo.ts': "export * from '@he-ml/base/client'\n" })).toEqual([
      'examples/one/src/demo.ts imports @he-ml/base/client: secret keys are for clients only',
    ])
  })

  it('finds packages without an entry and entries without a package', () => {
    expect(problemsOf({ 'packages/new/package.json': '{}' })).toEqual([
      'packages/new has no entry in scripts/layers.json',
    ])
    expect(problemsOf({ 'packages/top/package.json': undefined })).toEqual([
      'scripts/layers.json: there is no package packages/top',
    ])
  })

  it('finds stale figures and pictures of nothing, and a page without a place for them', () => {
    const root = folderOf(SOUND)
    const { files, stale } = checkLayering(root)
    const pictures = ['docs/figures/packages.svg', 'docs/figures/base.svg']
    expect([...files.keys()]).toEqual(['ARCHITECTURE.md', ...pictures])
    expect(stale).toEqual(['ARCHITECTURE.md', ...pictures])
    expect(files.get('docs/figures/packages.svg')).toContain('middle uses base.')
    const write = (path: string, text: string) => {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    for (const [path, text] of files) write(path, text)
    expect(checkLayering(root)).toMatchObject({ problems: [], stale: [] })
    write('docs/figures/packages.svg', '<svg/>')
    write('docs/figures/gone.svg', '<svg/>')
    expect(checkLayering(root)).toMatchObject({
      problems: [],
      stale: ['docs/figures/packages.svg', 'docs/figures/gone.svg'],
    })
    write('ARCHITECTURE.md', '# Page\n')
    expect(checkLayering(root).problems).toHaveLength(2)
  })
})
