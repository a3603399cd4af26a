/** What the diagonals of a linear map are filled with. */

export interface DiagonalWeights {
  /**
   * Writes weights times `factor` at the slots of their outputs, moved by `shift`, where the output's slot and the input's are `distance`
   * apart (modulo the input's period). The length of `values` is a power of two.
   */
  fill(values: Float64Array, distance: number, shift: number, factor: number): void
}

/** An input ciphertext and an output ciphertext. */
export interface Ends {
  readonly from: number
  readonly to: number
}
