/** Scalar reference for what the native engine checks by itself: residues of 6 bytes, little endian, below their prime. */
import { FormatError, InvalidArgumentError } from '../errors/errors.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import type { Container } from './container.ts'
import { RESIDUE_BYTES, segmentShapes, shapeBytes } from './segment-shape.ts'

/** The residue whose first byte is at `offset`. */
export function readResidue(bytes: Uint8Array, offset: number): number {
  return (
    bytes[offset]! +
    bytes[offset + 1]! * 2 ** 8 +
    bytes[offset + 2]! * 2 ** 16 +
    bytes[offset + 3]! * 2 ** 24 +
    bytes[offset + 4]! * 2 ** 32 +
    bytes[offset + 5]! * 2 ** 40
  )
}

/** Packs integers in [0, 2^48) into 6 bytes each. @throws InvalidArgumentError */
export function packResidues(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(values.length * RESIDUE_BYTES)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (!(Number.isInteger(value) && value >= 0 && value < 2 ** 48))
      throw new InvalidArgumentError(`residue ${i}: expected an integer in [0, 2^48), got ${value}`)
    const low = value % 2 ** 24
    const high = Math.floor(value / 2 ** 24)
    for (let k = 0; k < 3; k++) {
      bytes[i * RESIDUE_BYTES + k] = (low >>> (8 * k)) & 255
      bytes[i * RESIDUE_BYTES + 3 + k] = (high >>> (8 * k)) & 255
    }
  }
  return bytes
}

/** The reverse. */
export function unpackResidues(bytes: Uint8Array): Float64Array {
  return Float64Array.from({ length: bytes.length / RESIDUE_BYTES }, (_, i) => readResidue(bytes, i * RESIDUE_BYTES))
}

/**
 * Checks limbs of `ringDegree` residues, limb i modulo primes[i].
 *
 * @param prefix bytes to leave out in front (a seed)
 * @throws FormatError naming limb, index and byte of the first residue that is too large; or a wrong length
 */
export function validateResidues(segment: Uint8Array, primes: readonly number[], ringDegree: number, prefix = 0): void {
  const wanted = prefix + primes.length * ringDegree * RESIDUE_BYTES
  if (segment.length !== wanted)
    throw new FormatError(`expected ${wanted} bytes for ${primes.length} limbs of ${ringDegree}, got ${segment.length}`)
  let offset = prefix
  for (const [limb, prime] of primes.entries()) {
    for (let i = 0; i < ringDegree; i++, offset += RESIDUE_BYTES) {
      const value = readResidue(segment, offset)
      if (value >= prime)
        throw new FormatError(
          `limb ${limb}, index ${i} (byte ${offset} of the segment): expected a residue below ${prime}, got ${value}`,
        )
    }
  }
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((b) => b === 0)

/**
 * Checks every value of a container: residues below their primes, ternary secrets, ciphertexts that are not transparent.
 * The native engine does the same while importing; this is for engines and tools without it.
 * @throws FormatError
 */
export function validateSegments({ header, segments }: Container, parameters: AnyParameters): void {
  const { ringDegree } = parameters
  for (const [i, shape] of segmentShapes(header, parameters).entries()) {
    const segment = segments[i]!
    try {
      if (segment.length !== shapeBytes(shape, ringDegree))
        throw new FormatError(`expected ${shapeBytes(shape, ringDegree)} bytes, got ${segment.length}`)
      validateResidues(segment, shape.primes, ringDegree, shape.prefix)
    } catch (cause) {
      throw new FormatError(`segment ${i}: ${(cause as Error).message}`, { cause })
    }
    if (header.kind !== 'ciphertext' || header.objects[i]!.seeded) continue
    const polynomial = header.objects[i]!.limbs * ringDegree * RESIDUE_BYTES
    if (isZero(segment.subarray(polynomial)))
      throw new FormatError(`segment ${i}: c1 is zero, so the ciphertext is readable without a key; refused`)
  }
  if (header.kind === 'secretKey')
    segments[0]!.forEach((byte, at) => {
      if ((byte & (byte >> 1) & 0x55) !== 0)
        throw new FormatError(`segment 0: byte ${at} holds a coefficient that is not -1, 0 or 1`)
    })
}
