/** A chunk as it lies in the file. */
export interface StoredChunk {
  readonly address: number
  readonly bytes: number
  /** Bit i: filter i of the list was left out. */
  readonly mask: number
}
