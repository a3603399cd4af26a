/**
 * The header of AEDAT 2.0: lines of text that begin with '#', the first "#!AER-DAT2.0". 2.1, which DHP19 has, differs in nothing
 * that matters here (tonic reads everything from 2 to below 3 alike). jAER ends its header with "#End Of ASCII Header", others do
 * not, so that binary data which happens to begin with '#' is told apart by its control characters. The camera is in a comment,
 * "# AEChip: <jAER's class>", where the writer gave it.
 */
import { DatasetFormatError, DatasetUnsupportedError } from '../errors.ts'
import type { ByteReader } from './byte-reader.ts'

/** First line of what is written. */
export const AEDAT2_MAGIC = '#!AER-DAT2.0'
/** Longest header line, and most of them: jAER puts a camera's settings there. */
const MAX_LINE = 65_536
const MAX_LINES = 10_000

export interface Aedat2Header {
  /** jAER's class of the camera. */
  readonly chip: string | undefined
}

/**
 * Passes over the header lines.
 * @throws DatasetFormatError when the first line is not AEDAT's; DatasetUnsupportedError for another version, or too many lines
 */
export async function readAedat2Header(bytes: ByteReader): Promise<Aedat2Header> {
  let chip: string | undefined
  for (let line = 0; line < MAX_LINES; line++) {
    const length = (await bytes.peek(1))[0] === 0x23 ? await lineLength(bytes) : 0
    const text = new TextDecoder('latin1').decode((await bytes.peek(length)).subarray(0, length)).trim()
    if (line === 0) checkVersion(text)
    if (length === 0) return { chip }
    await bytes.skip(length)
    chip ??= /^#\s*AEChip:\s*(\S.*)$/.exec(text)?.[1]
    if (/^#\s*End Of ASCII Header$/i.test(text)) return { chip }
  }
  throw new DatasetUnsupportedError(`AEDAT 2.0: more than ${MAX_LINES} header lines`)
}

function checkVersion(line: string): void {
  if (/^#!AER-DAT2\.\d\b/.test(line)) return
  const shown = line === '' ? 'another file' : JSON.stringify(line.slice(0, 40))
  if (/^#!AER-DAT\d/.test(line))
    throw new DatasetUnsupportedError(
      `AEDAT 2.0: expected "#!AER-DAT2.0" or 2.1 at the start, got ${shown}: another version`,
    )
  throw new DatasetFormatError(`AEDAT 2.0: expected "#!AER-DAT2.0" or 2.1 at the start, got ${shown}`)
}

/** Length of the text line that comes next, with its line feed; 0 when what comes is no line of text. */
async function lineLength(bytes: ByteReader): Promise<number> {
  for (let size = 256; size <= MAX_LINE; size *= 2) {
    const ahead = await bytes.peek(size)
    for (let i = 0; i < ahead.length; i++) {
      const byte = ahead[i]!
      if (byte === 0x0a) return i + 1
      if (byte < 0x20 && byte !== 0x09 && byte !== 0x0d) return 0
    }
    if (ahead.length < size) return 0
  }
  return 0
}
