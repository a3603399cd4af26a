/**
 * SEAL 4.1's serialization, checked whole before SEAL sees it. SEAL would check it too, but an exception that leaves its
 * WebAssembly code leaks stack: some fifty rejected files and the module is unusable for good. So nothing may reach it that
 * it would reject. Every object is a 16-byte header (magic A15E, header size, version, compression, size of the object) and
 * content; compressed content cannot be checked here and is refused.
 */
import { SealReader } from './seal-reader.ts'

/** What objects of a context look like. */
export interface SealShape {
  readonly ringDegree: number
  /** Ciphertext primes by level, then the special prime. */
  readonly primes: readonly number[]
  /** SEAL's 32-byte hash by level; the last one is that of keys. */
  readonly parmsIds: readonly Uint8Array[]
}

/** What the bytes of a ciphertext say. */
export interface CiphertextBytes {
  readonly limbs: number
  readonly size: number
  readonly scale: number
}

function readCiphertext(
  reader: SealReader,
  shape: SealShape,
  ids: readonly Uint8Array[],
  firstLevel: number,
): CiphertextBytes {
  const end = reader.header()
  const level = firstLevel + reader.parmsId(ids)
  const limbs = level + 1
  if (reader.byte() !== 1) reader.fail('expected evaluation form', reader.at - 1)
  const size = reader.u64()
  if (size !== 2 && size !== 3) reader.fail(`expected 2 or 3 polynomials, got ${size}`, reader.at - 8)
  reader.expect('ring degree', shape.ringDegree)
  reader.expect('primes', limbs)
  const scale = reader.f64()
  const bits = shape.primes.slice(0, limbs).reduce((a, p) => a + Math.log2(p), 0)
  if (!(Number.isFinite(scale) && scale >= 1 && Math.log2(scale) < bits))
    reader.fail(`scale ${scale} is not between 1 and the modulus of ${bits.toFixed(1)} bits`, reader.at - 8)
  reader.expect('correction factor', 1)
  const primes = shape.primes.slice(0, limbs)
  const polynomials = (count: number) => Array.from({ length: count }, () => primes).flat()
  if (size === 2 && reader.peekResidues() === limbs * shape.ringDegree) {
    reader.residues(polynomials(1), shape.ringDegree, limbs)
    reader.seed()
  } else if (reader.residues(polynomials(size), shape.ringDegree, limbs))
    reader.fail('c1 is zero, so the ciphertext is readable without a key; refused')
  reader.end(end)
  return { limbs, size, scale }
}

/** @throws FormatError unless the bytes are exactly one ciphertext of these parameters */
export function checkCiphertextBytes(bytes: Uint8Array, shape: SealShape): CiphertextBytes {
  const reader = new SealReader(bytes, 'ciphertext')
  const found = readCiphertext(reader, shape, shape.parmsIds.slice(0, -1), 0)
  reader.end(bytes.length)
  if (!(found.scale > 1)) reader.fail(`expected a scale above 1, got ${found.scale}`, 73)
  return found
}

function readKey(reader: SealReader, shape: SealShape): void {
  const { size } = readCiphertext(reader, shape, shape.parmsIds.slice(-1), shape.primes.length - 1)
  if (size !== 2) reader.fail(`expected a key of 2 polynomials, got ${size}`)
}

/** @throws FormatError unless the bytes are exactly one public key of these parameters */
export function checkPublicKeyBytes(bytes: Uint8Array, shape: SealShape): void {
  const reader = new SealReader(bytes, 'public key')
  readKey(reader, shape)
  reader.end(bytes.length)
}

/** @throws FormatError unless the bytes are exactly one secret key of these parameters */
export function checkSecretKeyBytes(bytes: Uint8Array, shape: SealShape): void {
  const reader = new SealReader(bytes, 'secret key')
  const end = reader.header()
  reader.parmsId(shape.parmsIds.slice(-1))
  reader.expect('coefficients', shape.primes.length * shape.ringDegree)
  if (reader.f64() !== 1) reader.fail('expected a scale of 1', reader.at - 8)
  if (reader.residues(shape.primes, shape.ringDegree, 0)) reader.fail('the key is zero')
  reader.end(end)
  reader.end(bytes.length)
}

/**
 * Relinearisation keys (one place) or Galois keys (N places, of which `places` come back: place i is Galois element 2 i + 1).
 * @throws FormatError unless the bytes are exactly such keys of these parameters
 */
export function checkSwitchingKeyBytes(
  bytes: Uint8Array,
  shape: SealShape,
  kind: 'relinearisation key' | 'Galois keys',
): number[] {
  const reader = new SealReader(bytes, kind)
  const end = reader.header()
  reader.parmsId(shape.parmsIds.slice(-1))
  const places = kind === 'Galois keys' ? shape.ringDegree : 1
  reader.expect('places', places)
  const digits = shape.primes.length - 1
  const found: number[] = []
  for (let place = 0; place < places; place++) {
    const count = reader.u64()
    if (count === 0) continue
    if (count !== digits) reader.fail(`expected ${digits} digits, got ${count}`, reader.at - 8)
    for (let digit = 0; digit < digits; digit++) readKey(reader, shape)
    found.push(place)
  }
  if (found.length === 0) reader.fail('the file holds no key')
  reader.end(end)
  reader.end(bytes.length)
  return found
}

/**
 * Which switching key a file says it is: the Galois element of its first place, undefined for a relinearisation key. Its content is
 * not looked at: whoever loads it checks all of it.
 *
 * @throws FormatError for what is no switching key of these parameters
 */
export function peekSwitchingKey(bytes: Uint8Array, shape: SealShape): number | undefined {
  const reader = new SealReader(bytes, 'key')
  reader.header()
  reader.parmsId(shape.parmsIds.slice(-1))
  const places = reader.u64()
  if (places === 1) return undefined
  if (places !== shape.ringDegree)
    reader.fail(`expected 1 place or ${shape.ringDegree}, got ${places}: no evaluation key`, reader.at - 8)
  for (let place = 0; place < places; place++) if (reader.u64() !== 0) return 2 * place + 1
  return reader.fail('the file holds no key')
}

/** The objects of a file that is one after the other; their content is not looked at. @throws FormatError */
export function splitBlobs(bytes: Uint8Array): Uint8Array[] {
  const blobs: Uint8Array[] = []
  const reader = new SealReader(bytes, 'file')
  do {
    const start = reader.at
    const end = reader.header()
    reader.at = end
    blobs.push(bytes.subarray(start, end))
  } while (reader.at < bytes.length)
  return blobs
}

/** The residues of an uncompressed plaintext: limb after limb, N each, in SEAL's evaluation order. A view of `bytes`. */
export function plaintextResidues(bytes: Uint8Array, count: number): BigUint64Array {
  return new BigUint64Array(bytes.buffer, bytes.byteOffset + bytes.length - 8 * count, count)
}
