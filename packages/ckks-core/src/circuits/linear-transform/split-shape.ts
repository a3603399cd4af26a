/** How the steps of a linear transform are taken apart, and what that is priced by. */

/** Babies lie in [-offset, length - offset); giants are multiples of length. Length `slots` means no giants. */
export interface Split {
  /** How many babies follow each other. */
  readonly length: number
  /** How many of the babies are negative steps. */
  readonly offset: number
}

/** Price of the rotations of a linear transform, in any unit. */
export interface SplitCosts {
  /** Of a baby: a rotation of the input, hoisted. */
  readonly baby: number
  /** Of a giant: a rotation of a sum. */
  readonly giant: number
  /** Price of a distinct rotation key, for whom memory matters. Default 0. */
  readonly key?: number
}
