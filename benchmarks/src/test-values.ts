/** Slot values with known results. */

export const testValues = (slots: number, seed = 0): Float64Array =>
  Float64Array.from({ length: slots }, (_, i) => Math.cos(0.37 * i + 0.1 + seed))

/** What a rotation by `steps` makes of them. */
export const rotated = (values: Float64Array, steps: number): Float64Array =>
  values.map((_, i) => values[(i + steps) % values.length]!)
