// Whether the search of the site finds what is written: the index that typedoc writes leads from words to pages.
import { inflateSync } from 'node:zlib'

/** A word that the index has as it stands: letters alone, between spaces. */
const WORD = /(?<=\s)[a-z]{4,}(?=\s)/g

/** @param script assets/search.js of the site @returns its rows, and for each word the rows that have it by field */
export function readSearch(script) {
  const packed = /"([^"]*)"/.exec(script)?.[1] ?? ''
  const { rows, index } = JSON.parse(inflateSync(Buffer.from(packed, 'base64')).toString('utf8'))
  return { rows, words: new Map(index.invertedIndex) }
}

/** The word of a text that the fewest others have; of those the longest. */
export function rarestWord(text, others) {
  const count = (word) => others.filter((other) => other.includes(word)).length
  const words = [...new Set(text.match(WORD))].sort((a, b) => b.length - a.length).slice(0, 40)
  return words
    .map((word) => ({ word, count: count(word) }))
    .reduce((best, next) => (best === undefined || next.count < best.count ? next : best), undefined)?.word
}

/**
 * Texts that searching for a word of theirs does not find.
 * @param search of readSearch
 * @param field of the index: `document` or `comment`
 * @param texts by address of their page
 * @returns a sentence for each
 */
export function searchProblems({ rows, words }, field, texts) {
  const all = [...texts.values()]
  const rowOf = new Map(rows.map(({ url }, row) => [url, row]))
  return [...texts].flatMap(([url, text]) => {
    const word = rarestWord(
      text,
      all.filter((other) => other !== text),
    )
    if (word === undefined) return [`${url}: has no word to search for`]
    const found = words.get(word)?.[field] ?? {}
    return rowOf.has(url) && rowOf.get(url) in found ? [] : [`${url}: searching for "${word}" does not find it`]
  })
}
