/** Numbers with a meaning: assignable from plain numbers, but not from one another. */
declare const flavour: unique symbol
type Flavoured<Name extends string> = number & { readonly [flavour]?: Name }

/** Rescalings left: fresh = maxLevel, last = 0. */
export type Level = Flavoured<'Level'>
/** Fixed-point factor of a plaintext or ciphertext. */
export type Scale = Flavoured<'Scale'>
/** Slots a vector repeats with: a power of two, at most N/2. */
export type Slots = Flavoured<'Slots'>
/** An odd number below 2N: the exponent of an automorphism X -> X^g. */
export type GaloisElement = Flavoured<'GaloisElement'>
