/**
 * The messages of one HDF5 object header (HDF5 File Format Specification 3.0, IV.A.1): dataspace, datatype, layout and filters
 * of a dataset. Both versions of headers are read; the newer one's checksums are checked.
 */
import { UnsupportedError } from '@he-ml/ckks-core'
import { Cursor } from './cursor.ts'
import { lookup3 } from './lookup3.ts'

/** Message types. */
export const MESSAGE = {
  dataspace: 1,
  datatype: 3,
  externalFiles: 7,
  layout: 8,
  filters: 11,
  continuation: 16,
} as const

/** Bodies by message type; of a type that is there twice, the first. */
export type Messages = ReadonlyMap<number, Cursor>

/** Blocks one header may be spread over, and messages in it: writers use one to three blocks and about ten messages. */
const MAX_BLOCKS = 1000
const MAX_MESSAGES = 10_000

interface Block {
  readonly cursor: Cursor
  readonly version: 1 | 2
  readonly hasOrder: boolean
}

/** @throws FormatError for a damaged header; UnsupportedError where a message lies elsewhere in the file */
export function readMessages(bytes: Uint8Array, address: number, where: string): Messages {
  const found = new Map<number, Cursor>()
  const blocks = [firstBlock(bytes, address, where)]
  let count = 0
  for (let i = 0; i < blocks.length; i++) {
    const { cursor, version, hasOrder } = blocks[i]!
    const head = version === 1 ? 8 : hasOrder ? 6 : 4
    while (cursor.left >= head) {
      const type = version === 1 ? cursor.u16() : cursor.u8()
      const size = cursor.u16()
      const flags = cursor.u8()
      cursor.skip(head - (version === 1 ? 5 : 4))
      const body = cursor.part(size)
      if (++count > MAX_MESSAGES || blocks.length > MAX_BLOCKS) cursor.fail('the object header has no end')
      if (type === MESSAGE.continuation) blocks.push(nextBlock(body, blocks[i]!))
      else if (!found.has(type) && type !== 0) {
        if ((flags & 2) !== 0 && Object.values<number>(MESSAGE).includes(type))
          throw new UnsupportedError(
            `${where}: its type or layout is shared with other objects (a named datatype?): write it plainly`,
          )
        found.set(type, body)
      }
    }
  }
  return found
}

function firstBlock(bytes: Uint8Array, address: number, where: string): Block {
  const cursor = new Cursor(bytes, address, bytes.length - address, where)
  if (cursor.left > 0 && cursor.bytes[address] === 1) {
    cursor.skip(8)
    const size = cursor.u32()
    // the messages begin at the next multiple of 8
    cursor.skip(4)
    return { cursor: cursor.part(size), version: 1, hasOrder: false }
  }
  cursor.expect('OHDR')
  if (cursor.u8() !== 2) cursor.fail('unknown version of an object header')
  const flags = cursor.u8()
  cursor.skip((flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0))
  const messages = cursor.part(cursor.uint(1 << (flags & 3)))
  checkSum(cursor, address, messages.end)
  return { cursor: messages, version: 2, hasOrder: (flags & 4) !== 0 }
}

function nextBlock(body: Cursor, { version, hasOrder }: Block): Block {
  const [address, length] = [body.u64(), body.u64()]
  const cursor = new Cursor(body.bytes, address, length, body.where)
  if (version === 1) return { cursor, version, hasOrder }
  cursor.expect('OCHK')
  const messages = cursor.part(length - 8)
  checkSum(cursor, address, messages.end)
  return { cursor: messages, version, hasOrder }
}

/** Compares the checksum that stands at the cursor. @throws FormatError */
export function checkSum(cursor: Cursor, from: number, to: number): void {
  if (cursor.u32() !== lookup3(cursor.bytes.subarray(from, to)))
    cursor.fail(`the checksum of bytes ${from} to ${to} is wrong`)
}
