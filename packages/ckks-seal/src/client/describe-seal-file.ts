/**
 * What a file of SEAL's is, from its bytes alone: which objects, of which ring, for which parameters. No key is needed and none is opened.
 * SEAL's files name neither their primes nor a key; a secret key's name is made of it, as the client does. All lengths, counts and
 * hashes are checked; that residues lie below their primes is for those who know these.
 */
import { conjugationElement, FormatError, toHex } from '@he-ml/ckks-core'
import { sealGaloisElement } from '../parameters.ts'
import { splitBlobs } from '../seal-bytes.ts'
import { SealReader } from '../seal-reader.ts'
import { secretKeyName } from './seal-secret-bytes.ts'

/** What every object says. */
export interface SealObjectFacts {
  /** Of the whole object. */
  readonly bytes: number
  /** SEAL's hash of ring degree and primes, 64 hex digits: of those of its level for a ciphertext, of all for a key. */
  readonly parameters: string
}

/** The ring of an object. */
export interface SealRing {
  /** N, a power of two from 2^10 to 2^15. */
  readonly ringDegree: number
  /** Of a ciphertext those of its level, of a key all, the special one too. */
  readonly primes: number
}

/** One object of a file. */
export type SealObjectDescription = SealObjectFacts &
  (
    | (SealRing & {
        /** Encrypted slots. */
        readonly kind: 'ciphertext'
        /** 2, or 3 before relinearisation. */
        readonly polynomials: number
        /** What slots are multiplied by. */
        readonly scale: number
        /** Whether a seed stands for the second polynomial. */
        readonly seeded: boolean
      })
    | (SealRing & {
        /** For parties that only encrypt. */
        readonly kind: 'publicKey'
      })
    | {
        /** For the client alone. */
        readonly kind: 'secretKey'
        /** Primes times ring degree; SEAL writes neither. */
        readonly residues: number
        /** 32 hex digits that tell nothing about the key. */
        readonly keyId: string
      }
    | (SealRing & {
        /** For a server's products. */
        readonly kind: 'relinearizationKey'
      })
    | (SealRing & {
        /** For a server's rotations. */
        readonly kind: 'galoisKeys'
        /** Exponents, odd and below 2N, rising. */
        readonly galoisElements: readonly number[]
        /** Rotations to the left that they serve, in the order of the elements; 0 for conjugation. */
        readonly steps: readonly number[]
      })
  )

const MIN_LOG_N = 10
const MAX_LOG_N = 15
/** Of SEAL's largest ring at 128 bits, in primes of 15 bits and more. */
const MAX_PRIMES = 64
/** Where a pair has the header of its residues, a secret key too, and keys that switch the first of theirs. */
const [PAIR_AT, SECRET_AT] = [89, 64]

type Found = SealRing & { readonly parameters: string }

function ringOf(reader: SealReader, ringDegree: number): number {
  const logN = Math.log2(ringDegree)
  if (!Number.isInteger(logN) || logN < MIN_LOG_N || logN > MAX_LOG_N)
    reader.fail(`expected a ring degree from 2^${MIN_LOG_N} to 2^${MAX_LOG_N}, got ${ringDegree}`, reader.at - 8)
  return ringDegree
}

function primesOf(reader: SealReader, primes: number): number {
  if (!Number.isInteger(primes) || primes < 1 || primes > MAX_PRIMES)
    reader.fail(`expected 1 to ${MAX_PRIMES} primes, got ${primes}`, reader.at - 8)
  return primes
}

/** A ciphertext or a public key, which SEAL writes alike. */
function readPair(reader: SealReader): Found & { polynomials: number; scale: number; seeded: boolean } {
  const end = reader.header()
  const parameters = toHex(reader.take(32))
  if (reader.byte() !== 1) reader.fail('expected evaluation form', reader.at - 1)
  const polynomials = reader.u64()
  if (polynomials !== 2 && polynomials !== 3)
    reader.fail(`expected 2 or 3 polynomials, got ${polynomials}`, reader.at - 8)
  const ringDegree = ringOf(reader, reader.u64())
  const primes = primesOf(reader, reader.u64())
  const scale = reader.f64()
  if (!(Number.isFinite(scale) && scale >= 1))
    reader.fail(`expected a scale of at least 1, got ${scale}`, reader.at - 8)
  reader.expect('correction factor', 1)
  const seeded = polynomials === 2 && reader.peekResidues() === primes * ringDegree
  reader.anyResidues((seeded ? 1 : polynomials) * primes * ringDegree)
  if (seeded) reader.seed()
  reader.end(end)
  return { ringDegree, primes, parameters, polynomials, scale, seeded }
}

/** Keys that switch: places with nothing, or with as many keys as there are digits, all of one ring. */
function readSwitchingKeys(reader: SealReader): Found & { readonly places: number; readonly found: readonly number[] } {
  const end = reader.header()
  const parameters = toHex(reader.take(32))
  const places = reader.u64()
  if (places !== 1) ringOf(reader, places)
  const found: number[] = []
  let ring: Found | undefined
  for (let place = 0; place < places; place++) {
    const digits = reader.u64()
    if (digits === 0) continue
    if (digits >= MAX_PRIMES) reader.fail(`expected fewer than ${MAX_PRIMES} digits, got ${digits}`, reader.at - 8)
    for (let digit = 0; digit < digits; digit++) {
      const start = reader.at
      const key = readPair(reader)
      ring ??= key
      const same = key.parameters === parameters && key.ringDegree === ring.ringDegree && key.primes === ring.primes
      if (
        !same ||
        key.polynomials !== 2 ||
        key.scale !== 1 ||
        digits !== key.primes - 1 ||
        ![1, key.ringDegree].includes(places)
      )
        reader.fail('a digit that is none of the parameters before it', start)
    }
    found.push(place)
  }
  if (ring === undefined) return reader.fail('the object holds no key')
  reader.end(end)
  return { ringDegree: ring.ringDegree, primes: ring.primes, parameters, places, found }
}

/** Left rotations that Galois elements serve; 0 for conjugation. @throws FormatError for an element of neither */
function stepsOf(elements: readonly number[], ringDegree: number): number[] {
  const logN = Math.log2(ringDegree)
  const known = new Map([[conjugationElement(logN), 0]])
  for (let steps = 1, e = sealGaloisElement(1, logN); steps < ringDegree / 2; steps++, e = (e * 3) % (2 * ringDegree))
    known.set(e, steps)
  return elements.map((element) => {
    const steps = known.get(element)
    if (steps === undefined)
      throw new FormatError(`Galois keys: element ${element} is neither a rotation of the slots nor conjugation`)
    return steps
  })
}

function readSecret(reader: SealReader, bytes: Uint8Array): SealObjectDescription {
  const end = reader.header()
  const parameters = toHex(reader.take(32))
  const residues = reader.u64()
  if (residues === 0 || residues % 2 ** MIN_LOG_N !== 0)
    reader.fail(`expected residues for a ring of at least 2^${MIN_LOG_N}, got ${residues}`, reader.at - 8)
  if (reader.f64() !== 1) reader.fail('expected a scale of 1', reader.at - 8)
  reader.anyResidues(residues)
  reader.end(end)
  return { kind: 'secretKey', bytes: bytes.length, parameters, residues, keyId: secretKeyName(bytes) }
}

function describe(bytes: Uint8Array): SealObjectDescription {
  const reader = new SealReader(bytes, 'SEAL object')
  const isHeader = (at: number): boolean => bytes[at] === 0x5e && bytes[at + 1] === 0xa1
  if (isHeader(PAIR_AT) && !isHeader(SECRET_AT)) {
    const { polynomials, scale, seeded, ...ring } = readPair(reader)
    const kind = scale === 1 && polynomials === 2 ? 'publicKey' : 'ciphertext'
    if (kind === 'publicKey') return { kind, bytes: bytes.length, ...ring }
    return { kind, bytes: bytes.length, ...ring, polynomials, scale, seeded }
  }
  // the scale of a secret key stands where keys that switch have the digits of their first place
  const first = bytes.length >= SECRET_AT ? bytes.subarray(SECRET_AT - 8, SECRET_AT) : new Uint8Array(8)
  if (first[7] === 0x3f && first[6] === 0xf0) return readSecret(reader, bytes)
  const { places, found, ...ring } = readSwitchingKeys(reader)
  if (places === 1) return { kind: 'relinearizationKey', bytes: bytes.length, ...ring }
  const galoisElements = found.map((place) => 2 * place + 1)
  const steps = stepsOf(galoisElements, ring.ringDegree)
  return { kind: 'galoisKeys', bytes: bytes.length, ...ring, galoisElements, steps }
}

/** Bytes of the header that every object begins with. */
export const SEAL_HEADER_BYTES = 16

/** Whether bytes begin as those of SEAL do; two are enough. */
export const looksLikeSeal = (start: Uint8Array): boolean => start[0] === 0x5e && start[1] === 0xa1

/**
 * How long the object is that a header begins; nothing is said of what follows.
 * @throws FormatError for what is no header of SEAL 4.1, or one of a compressed object
 */
export function sealObjectBytes(header: Uint8Array): number {
  const size =
    header.length >= SEAL_HEADER_BYTES ? new DataView(header.buffer, header.byteOffset).getBigUint64(8, true) : 0n
  return new SealReader(header, 'SEAL object').header(Number(size))
}

/**
 * The objects of a file that the client or the engine has written, in their order.
 *
 * @throws FormatError naming the byte for a file that is cut, changed in what this can judge, compressed, or none of SEAL's
 * @example
 * ```ts
 * import { createParameters } from '@he-ml/ckks-core'
 * import { sealParameters } from '@he-ml/ckks-seal'
 * import { createSealClient, describeSealFile } from '@he-ml/ckks-seal/client'
 *
 * const client = await createSealClient(createParameters(sealParameters({ logN: 13, levels: 1, scaleBits: 30 })))
 * using key = await client.generateSecretKey()
 * const [object] = describeSealFile(await client.encrypt(key, [{ values: Float64Array.of(1, 2) }]))
 * console.log(object) // kind 'ciphertext', 2^13, 2 primes, scale 2^30
 * await client.dispose()
 * ```
 */
export const describeSealFile = (bytes: Uint8Array): SealObjectDescription[] => splitBlobs(bytes).map(describe)
