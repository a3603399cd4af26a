// What a page of Markdown links to, and what can be linked to in it.

const LINK = /!?\[(?:[^\]\\]|\\.|\[[^\]]*\])*\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g
const DEFINITION = /^ {0,3}\[[^\]]+\]:\s+<?([^\s>]+)>?/gm

/** The text without its code, in which brackets are no links and # is no heading. */
const withoutBlocks = (text) => text.replace(/^( *)(`{3,}|~{3,})[^\n]*\n[\s\S]*?^ *\2[^\n]*$/gm, '')
const withoutSpans = (text) => text.replace(/(`+)(?:(?!\1)[\s\S])*?\1/g, '')

/** Targets of its links, in order, whatever they lead to. */
export function linksOf(text) {
  const prose = withoutSpans(withoutBlocks(text))
  return [...prose.matchAll(LINK), ...prose.matchAll(DEFINITION)].map(([, target]) => target)
}

/** Names of its headings as GitHub makes them: lower case, hyphens for spaces, a number where a name is there already. */
export function anchorsOf(text) {
  const seen = new Map()
  return [...withoutBlocks(text).matchAll(/^#{1,6} +(.+?)(?: +#+)? *$/gm)].map(([, heading]) => {
    const shown = heading.replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    const name = shown
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-')
    const times = seen.get(name) ?? 0
    seen.set(name, times + 1)
    return times === 0 ? name : `${name}-${times}`
  })
}
