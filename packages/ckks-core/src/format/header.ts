/** What the header of a file says, kind by kind. */
import type { GaloisElement, Level, Scale, Slots } from '../port/quantities.ts'

/** What every header says. */
export interface AnyHeader {
  /** `Parameters.id` of the parameters everything in the file belongs to. */
  readonly parameters: string
  /** Content hash of the plan it was made for. */
  readonly plan?: string
  /** Random name of the secret key behind it; tells a wrong key from a wrong result. */
  readonly keyId?: string
  /** Free text for people and for `inspect`, at most 64 pairs; no meaning to the library. */
  readonly labels?: Readonly<Record<string, string>>
  /** Made under insecure parameters, by a test; every other reader refuses it. */
  readonly insecure?: true
  /** Bytes of each segment, padding excluded. */
  readonly segments: readonly number[]
}

/** One ciphertext of a file. */
export interface CiphertextObject {
  /** Input or output of a model that it is. */
  readonly name?: string
  /** Rescalings that are left. */
  readonly level: Level
  /** The fixed-point factor, carried exactly; above 1 and below the modulus of the level. */
  readonly scale: Scale
  /** Period of the slot vector. */
  readonly slots: Slots
  /** 2 for a product that was not relinearised. */
  readonly degree: 1 | 2
  /** Whether c1 is a 32-byte seed at the start of the segment; of degree 1 only. */
  readonly seeded: boolean
  /** Limbs per polynomial. */
  readonly limbs: number
}

/** One segment per object: an optional seed, then c0, c1, c2 limb by limb. */
export interface CiphertextHeader extends AnyHeader {
  /** Names the form. */
  readonly kind: 'ciphertext'
  /** Random name of the encrypted input that it is, or the result of. */
  readonly request?: string
  /** At least one. */
  readonly objects: readonly CiphertextObject[]
}

/** One segment: an optional seed, then b and a limb by limb. */
export interface PublicKeyHeader extends AnyHeader {
  /** Names the form. */
  readonly kind: 'publicKey'
  /** Level of what it encrypts. */
  readonly level: Level
  /** Whether a is a 32-byte seed at the start of the segment. */
  readonly seeded: boolean
  /** Limbs per polynomial. */
  readonly limbs: number
}

/** One segment: N coefficients of 2 bits. */
export interface SecretKeyHeader extends AnyHeader {
  /** Names the form. */
  readonly kind: 'secretKey'
  /** log2 of the ring degree. */
  readonly logN: number
}

/** What evaluation keys have in common. */
export interface SwitchingKeyHeader extends AnyHeader {
  /** Names the form. */
  readonly kind: EvaluationKeyKind
  /** Highest level it can be used at; of an encapsulation key, the level that is raised to. */
  readonly level: Level
  /** Whether the uniform halves are a 32-byte seed at the start of the segment. */
  readonly seeded: boolean
  /** What the seed is expanded by; absent: SHAKE128, as in files of earlier versions. */
  readonly expansion?: 'turboShake128'
  /** Limbs per polynomial, special primes included. */
  readonly limbs: number
  /** Digits of key switching at the level. */
  readonly digits: number
}

/** One segment: the switch from the square of the secret. */
export interface RelinearizationKeyHeader extends SwitchingKeyHeader {
  /** Names the form. */
  readonly kind: 'relinearizationKey'
}

/** One segment: the switch from the secret under the automorphism. */
export interface GaloisKeyHeader extends SwitchingKeyHeader {
  /** Names the form. */
  readonly kind: 'galoisKey'
  /** generator^steps mod 2N, or 2N - 1 for conjugation. */
  readonly galoisElement: GaloisElement
}

/**
 * Two segments: the switch to the ephemeral secret at level 0, and the switch back at `level`. With `raising` the switch back is a short
 * one (one digit, as many special primes as base primes), and one more for each element follows.
 */
export interface EncapsulationKeyHeader extends SwitchingKeyHeader {
  /** Names the form. */
  readonly kind: 'encapsulationKey'
  /** Galois elements besides 1 of the short switches back, in the order of their segments; absent: an ordinary switch back. */
  readonly raising?: readonly GaloisElement[]
}

/** One line of a key set. */
export interface KeyFileEntry {
  /** A plain name in the manifest's own folder. */
  readonly file: string
  /** What the file holds. */
  readonly kind: EvaluationKeyKind | 'publicKey'
  /** As in the file's own header. */
  readonly level: Level
  /** Of Galois keys, and of these only. */
  readonly galoisElement?: GaloisElement
  /** Of encapsulation keys only, as in the file's own header. */
  readonly raising?: readonly GaloisElement[]
  /** Length of the whole file. */
  readonly bytes: number
  /** SHA-256 of the whole file, hex. */
  readonly sha256: string
}

/** No segments: the list of evaluation key files that belong together. */
export interface KeySetHeader extends AnyHeader {
  /** Names the form. */
  readonly kind: 'keySet'
  /** No file twice. */
  readonly keys: readonly KeyFileEntry[]
}

/** How a result was made safe to publish. */
export interface Publication {
  /** Results that will ever be published under the key. */
  readonly queries: number
  /** log2 of 1 / (total KL divergence allowed). */
  readonly statisticalBits: number
  /** Standard deviation of the noise added to each number. */
  readonly sigma: number
  /** -log2(sigma). */
  readonly precisionBits: number
}

/** One tensor of a result. */
export interface ResultTensor {
  /** Output of the model. */
  readonly name: string
  /** Up to 8 dimensions, row-major. */
  readonly shape: readonly number[]
  /** Whether every element is a pair, real part first. */
  readonly complex: boolean
}

/** Decrypted values: one segment of float64, little endian, per tensor. */
export interface ResultHeader extends AnyHeader {
  /** Names the form. */
  readonly kind: 'result'
  /** Absent: private, not to be shown to others. Present: how it was made safe to publish. */
  readonly published?: Publication
  /** At least one. */
  readonly tensors: readonly ResultTensor[]
}

/** One segment: canonical JSON in UTF-8, whose SHA-256 is contentHash. */
export interface PlanHeader extends AnyHeader {
  /** Names the form. */
  readonly kind: 'plan'
  /** `Plan.id`, hex. */
  readonly contentHash: string
}

/** A checked header. */
export type FileHeader =
  | CiphertextHeader
  | PublicKeyHeader
  | SecretKeyHeader
  | RelinearizationKeyHeader
  | GaloisKeyHeader
  | EncapsulationKeyHeader
  | KeySetHeader
  | ResultHeader
  | PlanHeader
/** 'ciphertext', 'publicKey', 'secretKey', 'relinearizationKey', 'galoisKey', 'encapsulationKey', 'keySet', 'result' or 'plan'. */
export type FileKind = FileHeader['kind']
/** The header of one kind. */
export type HeaderOf<K extends FileKind> = Extract<FileHeader, Record<'kind', K>>
/** Kinds of files that hold an evaluation key. */
export type EvaluationKeyKind = 'relinearizationKey' | 'galoisKey' | 'encapsulationKey'
/** The line of an evaluation key. */
export type EvaluationKeyEntry = KeyFileEntry & {
  /** What the file holds. */
  readonly kind: EvaluationKeyKind
}
/** A header without the lengths and the mark of insecure parameters. */
export type Given<H> = H extends unknown ? Omit<H, 'segments' | 'insecure'> : never
/** What a writer gives: the header without the lengths and the mark of insecure parameters, which follow. */
export type HeaderInput = Given<FileHeader>
