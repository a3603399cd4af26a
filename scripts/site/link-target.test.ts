import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { linkTarget } from './link-target.mjs'

const root = join(new URL('.', import.meta.url).pathname, '../..')
const page = join(root, 'examples/lenet5/README.md')
const target = (link: string, ...pages: readonly string[]) =>
  linkTarget(link, {
    page,
    root,
    repository: 'https://x.org/r',
    isPage: (file: string) => pages.map((name) => join(root, name)).includes(file),
  })

describe('linkTarget', () => {
  it('leaves links to pages, to pictures and data, and to what is not there', () => {
    expect(target('../../docs/glossary.md#engines', 'docs/glossary.md')).toEqual({})
    expect(target('../../packages/pipeline', 'packages/pipeline')).toEqual({})
    expect(target('../../docs/notes/batches.svg')).toEqual({})
    expect(target('nowhere.md')).toEqual({})
  })

  it('leads to the page of a folder where that is a README', () => {
    expect(target('models', 'examples/lenet5/models/README.md')).toEqual({
      file: join(root, 'examples/lenet5/models/README.md'),
    })
  })

  it('leads to the repository for sources and other folders', () => {
    expect(target('src/classify.ts#L4')).toEqual({
      url: 'https://x.org/r/blob/main/examples/lenet5/src/classify.ts#L4',
    })
    expect(target('src/')).toEqual({ url: 'https://x.org/r/tree/main/examples/lenet5/src' })
    expect(target('models')).toEqual({ url: 'https://x.org/r/tree/main/examples/lenet5/models' })
  })
})
