// What a page of HTML links to, and what can be linked to in it.

const decode = (text) =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&')
const attributes = (text, names) =>
  [...text.matchAll(new RegExp(`<[^<>]*?\\s(?:${names})="([^"]*)"`, 'g'))].map(([, value]) => decode(value))

/** Targets of its links, pictures and scripts, in order, whatever they lead to. */
export const linksOf = (text) => attributes(text, 'href|src')

/** What servers show for a folder. */
export const index = 'index.html'

/** Names of its elements. */
export const anchorsOf = (text) => attributes(text, 'id|name')
