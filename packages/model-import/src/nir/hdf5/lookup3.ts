/**
 * The checksum of HDF5's newer structures: Bob Jenkins's lookup3 with initial value 0 (public domain, 2006; HDF5 File Format
 * Specification, "Appendix: Checksum"), over 12-byte blocks of three little-endian words.
 */
const rotate = (x: number, k: number): number => (x << k) | (x >>> (32 - k))

/** Shifts of the six rounds after a block, and of the seven at the end. */
const MIX = [4, 6, 8, 16, 19, 4] as const
const LAST = [14, 11, 25, 16, 4, 14, 24] as const

/** @returns 32 bits, unsigned */
export function lookup3(bytes: Uint8Array): number {
  const start = (0xdeadbeef + bytes.length) | 0
  const s = Int32Array.of(start, start, start)
  const word = (at: number) =>
    (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
  let at = 0
  // the last block, full or not, is for the final rounds
  for (; bytes.length - at > 12; at += 12) {
    for (let i = 0; i < 3; i++) s[i]! += word(at + 4 * i)
    for (let i = 0; i < 6; i++) {
      const [a, b, c] = [i % 3, (i + 1) % 3, (i + 2) % 3] as const
      s[a] = (s[a]! - s[c]!) ^ rotate(s[c]!, MIX[i]!)
      s[c]! += s[b]!
    }
  }
  if (bytes.length === 0) return s[2]! >>> 0
  for (let i = 0; i < 3; i++) s[i]! += word(at + 4 * i)
  for (let i = 0; i < 7; i++) {
    const [a, b] = [(i + 2) % 3, (i + 1) % 3] as const
    s[a] = (s[a]! ^ s[b]!) - rotate(s[b]!, LAST[i]!)
  }
  return s[2]! >>> 0
}
