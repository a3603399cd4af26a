/**
 * LZF, the compression of h5py's own filter (format of M. Lehmann's LibLZF): a byte below 32 begins that many literal bytes
 * and one more; any other byte has a length in its upper three bits and, with the byte after it, how far back to copy from.
 */

/** @returns exactly `length` bytes, or undefined when the input does not unpack to so many */
export function unpackLzf(input: Uint8Array, length: number): Uint8Array | undefined {
  const output = new Uint8Array(length)
  let [at, to] = [0, 0]
  while (at < input.length) {
    const control = input[at++]!
    if (control < 32) {
      const count = control + 1
      if (at + count > input.length || to + count > length) return undefined
      output.set(input.subarray(at, at + count), to)
      at += count
      to += count
      continue
    }
    let count = (control >> 5) + 2
    if (control >> 5 === 7) count += input[at++] ?? Number.NaN
    const from = to - 1 - ((control & 31) << 8) - (input[at++] ?? Number.NaN)
    if (!(from >= 0 && to + count <= length)) return undefined
    // the two may overlap: each byte may be one that was just written
    for (let i = 0; i < count; i++) output[to + i] = output[from + i]!
    to += count
  }
  return to === length ? output : undefined
}
