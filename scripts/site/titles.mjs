// Titles of Markdown pages as typedoc holds them: in parts, the first of which begins with the title.

const TITLE = /^\s*# +(.+?) *#* *(?:\n+|$)/

/** Takes the title away, in place: pages of packages have one of their own. */
export function withoutTitle(parts) {
  if (parts[0]?.kind === 'text') parts[0].text = parts[0].text.replace(TITLE, '')
}

/**
 * What a page is called in navigation and search: its title, in the folder of its file.
 * @param name the path of its file without the ending
 */
export function titleOf(parts, name) {
  const title = TITLE.exec(parts.map(({ text }) => text).join(''))?.[1]
  // typedoc takes what stands before a slash for a folder
  return title === undefined ? name : name.replace(/[^/]*$/, () => title.replace(/[`*]/g, '').replaceAll('/', '∕'))
}
