import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { brokenLinks } from './broken-links.mjs'
import * as html from './html.mjs'
import * as markdown from './markdown.mjs'

const root = mkdtempSync(join(tmpdir(), 'links-'))
afterAll(() => rmSync(root, { recursive: true }))

/** What is broken in pages that are written to a folder. */
function broken(kind: typeof markdown | typeof html, files: Readonly<Record<string, string>>): string[] {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return brokenLinks(root, new Map(Object.entries(files)), kind)
}

describe('links of Markdown', () => {
  it('lead to files and headings', () => {
    const pages = {
      'm/a.md':
        '# One, *two*: `f(x)`\n[b](b.md) [c](../m/b.md#two-words) ![d](b.md "t") [e](#one-two-fx) [f](https://x.org/y)\n',
      'm/b.md': '## Two words\n## Two words\n[g](a.md#one-two-fx) [h](#two-words-1)\n[i]: a.md\n',
    }
    expect(broken(markdown, pages)).toEqual([])
  })

  it('are broken where there is no file or no heading', () => {
    const text = '# A\n[one](none.md)\n[two](#b)\n[three](../../../x.md)\n[four]: gone.svg\n'
    expect(broken(markdown, { 'm/c.md': text })).toEqual([
      'm/c.md: "none.md" leads to a file that is not there',
      'm/c.md: "#b" leads to no heading or element of m/c.md',
      'm/c.md: "../../../x.md" leads out of the folder',
      'm/c.md: "gone.svg" leads to a file that is not there',
    ])
  })

  it('are none in code', () => {
    const text = '`[one](none.md)`\n```md\n[two](none.md)\n# Not a heading\n```\n[three](#not-a-heading)\n'
    expect(broken(markdown, { 'm/d.md': text })).toEqual([
      'm/d.md: "#not-a-heading" leads to no heading or element of m/d.md',
    ])
  })
})

describe('links of HTML', () => {
  it('lead to files and elements', () => {
    const pages = {
      'h/a.html': '<a class="x" href="b.html#there">b</a><img src="b.html?v=1&amp;w"/><a href="mailto:a@b.c">c</a>',
      'h/b.html': '<p id="there"><a href="#there">d</a></p>',
    }
    expect(broken(html, pages)).toEqual([])
  })

  it('are broken where there is no file or no element', () => {
    expect(broken(html, { 'h/c.html': '<a href="#none">a</a><script src="none.js"></script>' })).toEqual([
      'h/c.html: "#none" leads to no heading or element of h/c.html',
      'h/c.html: "none.js" leads to a file that is not there',
    ])
  })

  it('lead to the index of a folder, which must be there', () => {
    const pages = {
      'h/d/index.html': '<p id="there"></p>',
      'h/e.html': '<a href="d/">a</a><a href="d#there">b</a><a href="d/#none">c</a><a href="./">d</a>',
    }
    expect(broken(html, pages)).toEqual([
      'h/e.html: "d/#none" leads to no heading or element of h/d/index.html',
      'h/e.html: "./" leads to a file that is not there',
    ])
  })
})
