import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { rarestWord, readSearch, searchProblems } from './search-problems.mjs'

const script = (data: object) =>
  `window.searchData = "${deflateSync(Buffer.from(JSON.stringify(data))).toString('base64')}";`
const rows = [{ url: 'documents/a.html' }, { url: 'documents/b.html' }]
const index = {
  invertedIndex: [
    ['calibration', { document: { 0: {} }, comment: { 1: {} } }],
    ['ciphertext', { document: { 0: {}, 1: {} } }],
  ],
}
const problems = (texts: Readonly<Record<string, string>>, field = 'document') =>
  searchProblems(readSearch(script({ rows, index })), field, new Map(Object.entries(texts)))

describe('searchProblems', () => {
  it('is content where a word of each text leads to its page', () => {
    const texts = { 'documents/a.html': 'a calibration of it', 'documents/b.html': 'no ciphertext here' }
    expect(problems(texts)).toEqual([])
  })

  it('finds texts that are not in the index, by field', () => {
    expect(problems({ 'documents/b.html': 'its bootstrapping is' })).toEqual([
      'documents/b.html: searching for "bootstrapping" does not find it',
    ])
    expect(problems({ 'documents/a.html': 'a calibration of it' }, 'comment')).toHaveLength(1)
    expect(problems({ 'documents/b.html': 'a calibration of it' }, 'comment')).toEqual([])
  })

  it('finds pages that have no entry, and texts without a word', () => {
    expect(problems({ 'documents/c.html': 'a calibration of it' })).toHaveLength(1)
    expect(problems({ 'documents/a.html': '# 1' })).toEqual(['documents/a.html: has no word to search for'])
  })
})

describe('rarestWord', () => {
  it('is one that others lack, the longest of those; never a part of a word, or code', () => {
    const text = 'the networks and `bindPlan(plan)` and unrecognisable-things go through polynomials quickly '
    expect(rarestWord(text, [])).toBe('polynomials')
    expect(rarestWord(text, ['polynomials'])).toBe('networks')
    expect(rarestWord('go on it', [])).toBeUndefined()
  })
})
