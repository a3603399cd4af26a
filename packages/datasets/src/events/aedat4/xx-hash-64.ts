/**
 * xxHash, 64 bits, seed 0 (Y. Collet; the specification's XXH64): zstd frames end in its low half. Numbers of 64 bits are pairs of
 * 32-bit halves, because BigInt takes 80 ms per MiB, many times what unpacking takes.
 */
import type { Word64 } from './word-64.ts'
import { add, multiply, rotate, shiftRight, word, xor } from './word-64.ts'

const P1 = word(0x9e3779b1, 0x85ebca87)
const P2 = word(0xc2b2ae3d, 0x27d4eb4f)
const P3 = word(0x165667b1, 0x9e3779f9)
const P4 = word(0x85ebca77, 0xc2b2ae63)
const P5 = word(0x27d4eb2f, 0x165667c5)
const ZERO = word(0, 0)
/** Minus the first prime. */
const MINUS_P1 = word(~0x9e3779b1, -0x85ebca87)

/** The hash's two halves, unsigned. */
export function xxHash64(bytes: Uint8Array): { readonly high: number; readonly low: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const read = (at: number): Word64 => word(view.getInt32(at + 4, true), view.getInt32(at, true))
  let at = 0
  let hash = P5
  if (bytes.length >= 32) {
    const lanes: [Word64, Word64, Word64, Word64] = [add(P1, P2), P2, ZERO, MINUS_P1]
    for (; at + 32 <= bytes.length; at += 32)
      for (let lane = 0; lane < 4; lane++) lanes[lane] = round(lanes[lane]!, read(at + 8 * lane))
    const [a, b, c, d] = lanes
    hash = add(add(rotate(a, 1), rotate(b, 7)), add(rotate(c, 12), rotate(d, 18)))
    for (const lane of lanes) hash = add(multiply(xor(hash, round(ZERO, lane)), P1), P4)
  }
  hash = add(hash, word(Math.floor(bytes.length / 2 ** 32), bytes.length))
  for (; at + 8 <= bytes.length; at += 8) hash = add(multiply(rotate(xor(hash, round(ZERO, read(at))), 27), P1), P4)
  for (; at + 4 <= bytes.length; at += 4)
    hash = add(multiply(rotate(xor(hash, multiply(word(0, view.getInt32(at, true)), P1)), 23), P2), P3)
  for (; at < bytes.length; at++) hash = multiply(rotate(xor(hash, multiply(word(0, bytes[at]!), P5)), 11), P1)
  hash = multiply(xor(hash, shiftRight(hash, 33)), P2)
  hash = multiply(xor(hash, shiftRight(hash, 29)), P3)
  hash = xor(hash, shiftRight(hash, 32))
  return { high: hash.high >>> 0, low: hash.low >>> 0 }
}

const round = (sum: Word64, input: Word64): Word64 => multiply(rotate(add(sum, multiply(input, P2)), 31), P1)
