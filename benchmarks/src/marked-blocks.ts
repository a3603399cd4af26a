/** Blocks of a document that belong to a benchmark: <!-- bench:NAME:begin --> ... <!-- bench:NAME:end -->. */
import { FormatError } from '@he-ml/ckks-core'

const MARKER = /<!-- bench:([a-z0-9-]+):(begin|end) -->/g

/**
 * The document with each block's content replaced. A content of undefined leaves a block empty.
 * @throws FormatError for a begin without its end, or the other way round
 */
export function replaceBlocks(document: string, content: (name: string) => string | undefined, where: string): string {
  let result = ''
  let at = 0
  let open: string | undefined
  for (const match of document.matchAll(MARKER)) {
    const [marker, name, kind] = match as unknown as [string, string, 'begin' | 'end']
    if (kind === 'begin') {
      if (open !== undefined) throw new FormatError(`${where}: bench:${name}:begin inside the block of ${open}`)
      open = name
      const text = content(name)
      result += `${document.slice(at, match.index)}${marker}\n${text === undefined ? '' : `\n${text}\n\n`}`
    } else {
      if (open !== name) throw new FormatError(`${where}: bench:${name}:end without its begin`)
      open = undefined
      result += marker
      at = match.index + marker.length
    }
  }
  if (open !== undefined) throw new FormatError(`${where}: bench:${open}:begin without its end`)
  return result + document.slice(at)
}
