/** The fixed array index of HDF5 1.10 and later: one entry per chunk, in pages where there are many; everything has checksums. */
import { Cursor } from './cursor.ts'
import { checkSum } from './object-header.ts'
import type { StoredChunk } from './stored-chunk.ts'

/**
 * @param plainBytes the size of every chunk when chunks are not filtered
 * @returns entries in row-major order; chunks that were never written lie at Infinity
 * @throws FormatError
 */
export function fixedArray(
  bytes: Uint8Array,
  address: number,
  count: number,
  plainBytes: number | undefined,
  where: string,
): StoredChunk[] {
  const head = new Cursor(bytes, address, bytes.length - address, where)
  head.expect('FAHD')
  const [version, client, entryBytes, pageBits] = [head.u8(), head.u8(), head.u8(), head.u8()]
  const [entries, blockAddress] = [head.u64(), head.u64()]
  checkSum(head, address, head.at)
  const isFiltered = plainBytes === undefined
  if (version !== 0 || client !== (isFiltered ? 1 : 0) || entries !== count || pageBits > 30)
    head.fail('its list of chunks does not fit its shape')
  if (isFiltered ? entryBytes < 13 || entryBytes > 20 : entryBytes !== 8) head.fail(`entries of ${entryBytes} bytes`)
  if (blockAddress === Number.POSITIVE_INFINITY) return []
  const entry = (cursor: Cursor): StoredChunk => {
    const at = cursor.u64()
    if (!isFiltered) return { address: at, bytes: plainBytes, mask: 0 }
    return { address: at, bytes: cursor.uint(entryBytes - 12), mask: cursor.u32() }
  }
  const block = new Cursor(bytes, blockAddress, bytes.length - blockAddress, where)
  block.expect('FADB')
  if (block.u8() !== 0 || block.u8() !== client || block.u64() !== address)
    block.fail('its list of chunks is another dataset’s')
  const pageEntries = 2 ** pageBits
  if (count <= pageEntries) {
    const chunks = Array.from({ length: count }, () => entry(block))
    checkSum(block, blockAddress, block.at)
    return chunks
  }
  return pages(block, blockAddress, { count, pageEntries, entryBytes, entry })
}

function pages(
  block: Cursor,
  blockAddress: number,
  of: { count: number; pageEntries: number; entryBytes: number; entry: (cursor: Cursor) => StoredChunk },
): StoredChunk[] {
  const pageCount = Math.ceil(of.count / of.pageEntries)
  const isWritten = block.take(Math.ceil(pageCount / 8))
  checkSum(block, blockAddress, block.at)
  const chunks: StoredChunk[] = []
  for (let page = 0; page < pageCount; page++) {
    const inPage = Math.min(of.pageEntries, of.count - page * of.pageEntries)
    const start = block.at
    // pages that were never written have their place all the same
    if ((isWritten[page >> 3]! & (0x80 >> (page & 7))) === 0) {
      for (let i = 0; i < inPage; i++) chunks.push({ address: Number.POSITIVE_INFINITY, bytes: 0, mask: 0 })
      block.skip(inPage * of.entryBytes + 4)
      continue
    }
    for (let i = 0; i < inPage; i++) chunks.push(of.entry(block))
    checkSum(block, start, block.at)
  }
  return chunks
}
