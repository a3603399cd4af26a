/** How the steps of a linear transform are taken apart, and what that is priced by. */

/** Babies lie in [-offset, length - offset); giants are multiples of length. Length `slots` means no giants. */
export interface Split {
  readonly length: number
  readonly offset: number
}

/** Price of the rotations of a linear transform, in any unit. */
export interface SplitCosts {
  readonly baby: number
  readonly giant: number
  /** Price of a distinct rotation key, for whom memory matters. Default 0. */
  readonly key?: number
}
