import { LZ4_MAGIC } from './lz4.ts'
import { xxHash32 } from './xx-hash-32.ts'

/** Blocks of at most 4 MiB, as the frame format allows; independent of each other. */
const BLOCK_BYTES = 2 ** 22
const LAST_LITERALS = 5
const MATCH_LIMIT = 12
const MAX_DISTANCE = 65_535

/** One LZ4 frame, independent blocks, content checksum. Greedy matching: quick, about as small as the reference's fast mode. */
export function lz4Compress(bytes: Uint8Array): Uint8Array {
  const blocks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES)
    blocks.push(compressBlock(bytes.subarray(at, at + BLOCK_BYTES)))
  const frame = new Uint8Array(15 + blocks.reduce((sum, b) => sum + 4 + b.length, 0))
  const view = new DataView(frame.buffer)
  view.setUint32(0, LZ4_MAGIC, true)
  // version 1, independent blocks, content checksum; blocks of up to 4 MiB
  frame[4] = 0x64
  frame[5] = 0x70
  frame[6] = (xxHash32(frame.subarray(4, 6)) >>> 8) & 255
  let at = 7
  blocks.forEach((block, i) => {
    const plain = bytes.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES)
    const stored = block.length >= plain.length ? plain : block
    view.setUint32(at, stored.length + (stored === plain ? 0x8000_0000 : 0), true)
    frame.set(stored, at + 4)
    at += 4 + stored.length
  })
  view.setUint32(at, 0, true)
  view.setUint32(at + 4, xxHash32(bytes), true)
  return frame.subarray(0, at + 8)
}

function compressBlock(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const output = new Uint8Array(bytes.length + Math.ceil(bytes.length / 255) + 16)
  const table = new Int32Array(2 ** 14).fill(-1)
  let [at, anchor, out] = [0, 0, 0]
  const writeLength = (length: number) => {
    for (let left = length - 15; left >= 0; left -= 255) output[out++] = Math.min(255, left)
  }
  const writeSequence = (end: number, match: number) => {
    const literals = end - anchor
    output[out++] = (Math.min(15, literals) << 4) | (match < 0 ? 0 : Math.min(15, match))
    writeLength(literals)
    output.set(bytes.subarray(anchor, end), out)
    out += literals
  }
  while (at < bytes.length - MATCH_LIMIT) {
    const word = view.getUint32(at, true)
    const hash = Math.imul(word, 2654435761) >>> 18
    const candidate = table[hash]!
    table[hash] = at
    if (candidate < 0 || at - candidate > MAX_DISTANCE || view.getUint32(candidate, true) !== word) {
      at++
      continue
    }
    let length = 4
    const most = bytes.length - LAST_LITERALS - at
    while (length < most && bytes[candidate + length] === bytes[at + length]) length++
    writeSequence(at, length - 4)
    output[out++] = (at - candidate) & 255
    output[out++] = (at - candidate) >> 8
    writeLength(length - 4)
    at += length
    anchor = at
  }
  writeSequence(bytes.length, -1)
  return output.subarray(0, out)
}
