import { describe, expect, it } from 'vitest'
import { pageProblems } from './page-problems.mjs'

const root = new URL('../..', import.meta.url).pathname
const problems = (text: string) => pageProblems(new Map([['documents/a.html', text]]), root)
const title = '<h1>Title</h1>'
const repository = 'https://github.com/he-ml/he-ml'

describe('pageProblems', () => {
  it('wants one heading of the first order', () => {
    expect(problems('<h1 class="x">Title</h1><h2>h1</h2>')).toEqual([])
    expect(problems('<h2>Title</h2>')).toEqual(['documents/a.html: has 0 headings of the first order, not one'])
    expect(problems(`${title}<h1 id="again">Again</h1>`)).toHaveLength(1)
  })

  it('wants pages instead of copies of Markdown or of sources, and lets pictures and data be', () => {
    const link = (href: string) => problems(`${title}<a href="${href}">a</a><img src="../media/a.svg">`)
    expect(link('../media/lenet5.jsonl')).toEqual([])
    expect(link('../media/README-1.md#use')).toHaveLength(1)
    expect(link('media/run.ts')).toHaveLength(1)
    expect(link('../documents/media.html')).toEqual([])
  })

  it('wants what is linked to in the repository to be there', () => {
    const link = (path: string) => problems(`${title}<a href="${repository}/${path}">a</a>`)
    expect(link('blob/main/scripts/site/page-problems.mjs#L3')).toEqual([])
    expect(link('tree/main/scripts/site')).toEqual([])
    expect(link('blob/main/scripts/site')).toEqual([
      `documents/a.html: "${repository}/blob/main/scripts/site" leads to no file of the repository`,
    ])
    expect(link('tree/main/scripts/nowhere')).toHaveLength(1)
    expect(link('issues')).toEqual([])
  })
})
