/**
 * The most that a file from outside can have, from the plan's parameters: looked at before it is read. Native files pack a residue
 * into 6 bytes, SEAL's have 8; the limits allow either.
 */
import type { AnyParameters } from '@he-ml/ckks-core'

const RESIDUE_BYTES = 8
/** Headers with all the labels that they may have. */
const FRAME_BYTES = 2 ** 17
/** One ciphertext's line in a header, and SEAL's frame around it. */
const OBJECT_BYTES = 2 ** 11

const polynomials = ({ ringDegree }: AnyParameters, limbs: number): number => limbs * ringDegree * RESIDUE_BYTES

/** A secret key (SEAL's holds a polynomial) or a public key (two). */
export const maxKeyBytes = (parameters: AnyParameters): number =>
  polynomials(parameters, 2 * (parameters.qLimbs.length + parameters.p.length)) + FRAME_BYTES

/** A file of `count` ciphertexts at `level`, of degree 1 or 2. */
export const maxCiphertextsBytes = (
  parameters: AnyParameters,
  of: { readonly count: number; readonly level: number; readonly degree: 1 | 2 },
): number =>
  of.count * (polynomials(parameters, (of.degree + 1) * parameters.limbsAt(of.level)) + OBJECT_BYTES) + FRAME_BYTES
