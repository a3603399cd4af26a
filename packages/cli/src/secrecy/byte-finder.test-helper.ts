/**
 * Many byte strings looked for at once, at any alignment: of each string one word per remainder modulo 4 stands in a table, and the
 * bytes that are searched are looked up word by word.
 */

interface Entry {
  readonly name: string
  readonly wanted: Uint8Array
  /** Where in it the word is. */
  readonly at: number
}

/** See above. */
export class ByteFinder {
  readonly #entries = new Map<number, Entry[]>()
  /** Whether a word with these 16 bits of hash may be in the table. */
  readonly #filter = new Uint8Array(2 ** 16)
  #longest = 0

  /** Bytes of the longest. */
  get longest(): number {
    return this.#longest
  }

  /** @param wanted at least 7 bytes, not all alike */
  add(name: string, wanted: Uint8Array): void {
    this.#longest = Math.max(this.#longest, wanted.length)
    const { buffer } = Uint8Array.from(wanted)
    const view = new DataView(buffer)
    for (let shift = 0; shift < 4; shift++) {
      let best = { at: shift, kinds: 0 }
      for (let at = shift; at + 4 <= wanted.length; at += 4) {
        // words such as 0 are everywhere
        const kinds = new Set(wanted.subarray(at, at + 4)).size + (view.getInt32(at, true) === 0 ? 0 : 1)
        if (kinds > best.kinds) best = { at, kinds }
      }
      const word = view.getInt32(best.at, true)
      this.#filter[hash(word)] = 1
      const entries = this.#entries.get(word) ?? []
      this.#entries.set(word, [...entries, { name, wanted, at: best.at }])
    }
  }

  /** Names of those that are there. */
  in(bytes: Uint8Array): Set<string> {
    const found = new Set<string>()
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes)
    const words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2)
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!
      if (this.#filter[hash(word)] === 0) continue
      for (const { name, wanted, at } of this.#entries.get(word) ?? [])
        if (!found.has(name) && isAt(aligned, 4 * i - at, wanted)) found.add(name)
    }
    return found
  }
}

const hash = (word: number): number => (word ^ (word >>> 16)) & 0xffff

function isAt(bytes: Uint8Array, from: number, wanted: Uint8Array): boolean {
  if (from < 0 || from + wanted.length > bytes.length) return false
  for (let i = 0; i < wanted.length; i++) if (bytes[from + i] !== wanted[i]) return false
  return true
}
