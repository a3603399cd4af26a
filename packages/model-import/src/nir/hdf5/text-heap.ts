/** Texts of variable length: a dataset holds, for each, its length and a place in the global heap (File Format 3.0, III.E). */
import { UnsupportedError } from '@he-ml/ckks-core'
import { Cursor } from './cursor.ts'

type Heap = ReadonlyMap<number, Uint8Array>

/** @param maxText longest text @returns one text per 16 bytes @throws FormatError for a place that holds nothing */
export function readTexts(bytes: Uint8Array, references: Uint8Array, maxText: number, where: string): string[] {
  const heaps = new Map<number, Heap>()
  const cursor = new Cursor(references, 0, references.length, where)
  const texts: string[] = []
  while (cursor.left > 0) {
    const [length, address, index] = [cursor.u32(), cursor.u64(), cursor.u32()]
    // an empty text lies nowhere
    if (length === 0) {
      texts.push('')
      continue
    }
    if (length > maxText)
      throw new UnsupportedError(`${where}: holds a text of ${length} bytes, the limit is ${maxText}: shorten it`)
    let heap = heaps.get(address)
    if (!heap) {
      heap = readHeap(bytes, address, where)
      heaps.set(address, heap)
    }
    const object = heap.get(index)
    if (!object || object.length < length) cursor.fail(`text ${texts.length} lies nowhere`)
    texts.push(decodeText(object!.subarray(0, length), where))
  }
  return texts
}

function readHeap(bytes: Uint8Array, address: number, where: string): Heap {
  const head = new Cursor(bytes, address, bytes.length - address, where)
  head.expect('GCOL')
  if (head.u8() !== 1) head.fail('unknown version of a heap')
  head.skip(3)
  const cursor = head.part(head.u64() - 16)
  const objects = new Map<number, Uint8Array>()
  while (cursor.left >= 16) {
    const index = cursor.u16()
    cursor.skip(6)
    const length = cursor.u64()
    // object 0 is the room that is left
    if (index === 0) break
    objects.set(index, cursor.take(length))
    cursor.skip(Math.min(cursor.left, (8 - (length % 8)) % 8))
  }
  return objects
}

/** UTF-8, of which ASCII is a part, up to the first zero byte. @throws UnsupportedError for other encodings */
export function decodeText(bytes: Uint8Array, where: string): string {
  const zero = bytes.indexOf(0)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(zero < 0 ? bytes : bytes.subarray(0, zero))
  } catch (cause) {
    throw new UnsupportedError(`${where}: holds a text that is not UTF-8: write it as UTF-8`, { cause })
  }
}
