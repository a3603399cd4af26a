/**
 * Sizes and primes of the raw segments. They follow from parameters, level, degree and seeding alone, and equal what the
 * native engine computes for itself: an optional 32-byte seed, then limbs of N residues of 6 bytes.
 */
import { ephemeralSpecials, raisingSpecials } from '../parameters/ephemeral.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import type { CiphertextObject, EncapsulationKeyHeader, FileHeader } from './header.ts'

/** Bytes of a seed at the start of a seeded segment. */
export const SEED_BYTES = 32
/** Bytes of a packed residue. */
export const RESIDUE_BYTES = 6

/** Prime of every limb of a segment, in file order; `prefix` bytes of seed come first. */
export interface SegmentShape {
  /** Bytes before the residues: a seed, or none. */
  readonly prefix: number
  /** Primes of the limbs, in the order in which they are written. */
  readonly primes: readonly number[]
}

/** Shape of a ciphertext: c0 limb by limb, then c1 (unless seeded), then c2 (degree 2). */
export function ciphertextShape(
  parameters: AnyParameters,
  object: Pick<CiphertextObject, 'level' | 'degree' | 'seeded'>,
): SegmentShape {
  const primes = parameters.qLimbs.slice(0, parameters.limbsAt(object.level))
  const polynomials = object.seeded ? 1 : object.degree + 1
  return { prefix: object.seeded ? SEED_BYTES : 0, primes: Array.from({ length: polynomials }, () => primes).flat() }
}

/** Shape of a public key: b, then a (unless seeded). */
export function publicKeyShape(parameters: AnyParameters, level: number, seeded: boolean): SegmentShape {
  return ciphertextShape(parameters, { level, degree: 1, seeded })
}

/** Shape of a switching key: per target limb (q, then special) and digit: b, then a (unless seeded). */
export function switchingKeyShape(parameters: AnyParameters, level: number, seeded: boolean): SegmentShape {
  const targets = [...parameters.qLimbs.slice(0, parameters.limbsAt(level)), ...parameters.p]
  const each = parameters.digitsAt(level) * (seeded ? 1 : 2)
  return {
    prefix: seeded ? SEED_BYTES : 0,
    primes: targets.flatMap((prime) => Array.from({ length: each }, () => prime)),
  }
}

/** Shape of the switch to the ephemeral secret: one digit, the base primes and the special primes it uses. */
export function ephemeralKeyShape(parameters: AnyParameters, seeded: boolean): SegmentShape {
  return oneDigitShape(parameters, 0, ephemeralSpecials(parameters), seeded)
}

/** Shape of a short switch from the ephemeral secret: one digit, the primes of the level and the special primes it uses. */
export function raisingKeyShape(parameters: AnyParameters, level: number, seeded: boolean): SegmentShape {
  return oneDigitShape(parameters, level, raisingSpecials(parameters), seeded)
}

function oneDigitShape(parameters: AnyParameters, level: number, specials: number, seeded: boolean): SegmentShape {
  const targets = [...parameters.qLimbs.slice(0, parameters.limbsAt(level)), ...parameters.p.slice(0, specials)]
  const each = seeded ? 1 : 2
  return {
    prefix: seeded ? SEED_BYTES : 0,
    primes: targets.flatMap((prime) => Array.from({ length: each }, () => prime)),
  }
}

/** Shapes of the segments of an encapsulation key, in their order. */
export function encapsulationKeyShapes(
  parameters: AnyParameters,
  { level, seeded, raising }: Pick<EncapsulationKeyHeader, 'level' | 'seeded' | 'raising'>,
): SegmentShape[] {
  const there = ephemeralKeyShape(parameters, seeded)
  if (!raising) return [there, switchingKeyShape(parameters, level, seeded)]
  return [there, ...[1, ...raising].map(() => raisingKeyShape(parameters, level, seeded))]
}

/** Bytes of a segment of this shape. */
export const shapeBytes = (shape: SegmentShape, ringDegree: number): number =>
  shape.prefix + shape.primes.length * ringDegree * RESIDUE_BYTES

/** Bytes of a secret key: 2 bits per coefficient. */
export const secretKeyBytes = (logN: number): number => 2 ** (logN - 2)

/** The residue segments of a file; empty for kinds without residues. */
export function segmentShapes(header: FileHeader, parameters: AnyParameters): readonly SegmentShape[] {
  switch (header.kind) {
    case 'ciphertext':
      return header.objects.map((object) => ciphertextShape(parameters, object))
    case 'publicKey':
      return [publicKeyShape(parameters, header.level, header.seeded)]
    case 'relinearizationKey':
    case 'galoisKey':
      return [switchingKeyShape(parameters, header.level, header.seeded)]
    case 'encapsulationKey':
      return encapsulationKeyShapes(parameters, header)
    default:
      return []
  }
}
