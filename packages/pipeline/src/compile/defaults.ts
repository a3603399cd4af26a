/**
 * What `compile`, and `he-ml plan`, do where nothing is said. Chosen to be right before they are fast, on 5,000 test digits with the shared LeNet-5
 * and 500 images with the shared ResNet-20 (2,000 and 500 others calibrated on): answers as in the clear 99.96 and 96.8 % with these; 99.72 and 94.2 % with
 * the least largest error (remez) and a margin of 1.15, where single samples left the range and lost all their bits; 99.72 and 92.0 % with degree 15, in
 * 0.84 instead of 2.16 s and 18.8 instead of 21.4 s as planned, at a scale of 32 bits, which leaves four bits less after encryption.
 */
export const COMPILE_DEFAULTS = Object.freeze({
  /** Degree of the polynomials of activations. */
  degree: 27,
  /** Factor by which observed ranges are widened. */
  margin: 1.25,
  /** How polynomials are found: best where values are. */
  method: 'least-squares',
  /** Bits of the scale. */
  scaleBits: 36,
  /** Bits that a plan promises at least for every output. */
  precisionBits: 4,
} as const)
