/**
 * What a client does, whatever the engine: make keys, encrypt, decrypt. Keys and ciphertexts go in and out as files; only
 * the secret key and decrypted values are objects. `ckks-native/client` and `ckks-seal/client` implement this; nothing on
 * a server's path imports it.
 */
import type { FileKind } from '../format/header.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import type { KeyRequest } from '../port/keys.ts'
import type { PlanContract } from '../port/plan-contract.ts'
import type { GaloisElement, Level, Scale, Slots } from '../port/quantities.ts'
import type { SlotSource } from '../port/slot-values.ts'
import type { FileFacts } from './file-facts.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { PublicationOptions, PublishedSlots } from './publication.ts'
import type { SecretKey } from './secret-key.ts'

/** One evaluation key, ready to be written. */
export interface KeyFile {
  /** A plain file name, unique within a request: 'relinearization.key', 'galois-5.key', 'encapsulation.key'. */
  readonly name: string
  /** Which key it is; files of encapsulation keys hold all of its keys. */
  readonly kind: Extract<FileKind, 'relinearizationKey' | 'galoisKey' | 'encapsulationKey'>
  /** Highest level it can be used at. */
  readonly level: Level
  /** Of Galois keys only: generator^steps mod 2N, or 2N - 1 for conjugation. */
  readonly galoisElement?: GaloisElement
  /** Of encapsulation keys only, as in the file's header. */
  readonly raising?: readonly GaloisElement[]
  /** The whole file. */
  readonly bytes: Uint8Array
  /** SHA-256 of the bytes, hex. */
  readonly sha256: string
}

/** Names a plan in what is made for it. */
export interface Provenance {
  /** Content hash of the plan. */
  readonly plan?: string
}

export interface KeyGenerationOptions extends Provenance {
  /** After each key. */
  readonly onProgress?: (done: number, total: number) => void
  /** Stops between two keys, with CancelledError. */
  readonly signal?: AbortSignal
}

/** Makes keys: the secret one, which stays here, and those for the server. */
export interface KeyGenerator {
  /** A fresh uniform ternary secret from the system's entropy. */
  generateSecretKey(): Promise<SecretKey>
  /** The only way a secret key becomes bytes. Write them with mode 0600. */
  exportSecretKey(key: SecretKey, options?: Provenance): Promise<Uint8Array>
  /** @throws FormatError, ParameterMismatchError */
  importSecretKey(bytes: Uint8Array): Promise<SecretKey>
  /** For parties that encrypt but must not decrypt. */
  generatePublicKey(key: SecretKey, options?: Provenance): Promise<Uint8Array>
  /**
   * The keys of a request, one at a time: nothing is held once the next is asked for.
   * @throws CancelledError through the signal; UnsupportedError when the engine cannot hold them all
   */
  generateEvaluationKeys(key: SecretKey, request: KeyRequest, options?: KeyGenerationOptions): AsyncIterable<KeyFile>
}

/** What to encrypt. */
export interface EncryptionInput {
  /** One value per slot: N/2 of them, or a power of two, their period. Real or complex, finite. */
  readonly values: SlotSource
  /** Shown by `inspect`; names the input of a model. */
  readonly name?: string
}

export interface EncryptionOptions extends Provenance {
  /** The plan's facts: level, scale, plan and number of ciphertexts are then its own, and values must lie in its range. */
  readonly contract?: PlanContract
  /**
   * Where the request is remembered, so that its result can be published; its contract is used. For secret keys: what others
   * encrypt with the public key is unknown to it.
   */
  readonly ledger?: Ledger
  /** Encrypt values outside the contract's range all the same; the ledger remembers it, and the result cannot be published. */
  readonly allowOutOfRange?: boolean
  /** Default: the contract's, or the top level. */
  readonly level?: Level
  /** Default: the contract's, or the level's nominal scale. */
  readonly scale?: Scale
  /** Text for people, where the format has room for it. */
  readonly labels?: Record<string, string>
}

/** Encrypts under a secret key. */
export interface Encryptor {
  /**
   * One file with one ciphertext per input, and a random request id where the format has room for one.
   *
   * @param key a secret key (half the size, less noise) or the bytes of a public key
   * @throws InvalidArgumentError for values that are not finite, too large, or outside the plan's range; LevelError; ScaleError;
   * ParameterMismatchError for another plan or another key than the ledger's
   */
  encrypt(
    key: SecretKey | Uint8Array,
    inputs: readonly EncryptionInput[],
    options?: EncryptionOptions,
  ): Promise<Uint8Array>
}

/**
 * Decrypted values, encryption noise included: they tell something of the secret key, so they stay with its owner. To show
 * them to others, use `decryptForPublication`.
 */
export interface PrivateSlots {
  /** Tells them from published ones. */
  readonly visibility: 'private'
  /** As in the file: an output of a model; absent where the file names none. */
  readonly name?: string
  /** One period. */
  readonly re: Float64Array
  /** Imaginary parts, one period; noise where the values are real. */
  readonly im: Float64Array
  /** The period: length of `re` and `im`. */
  readonly slots: Slots
  /** Level of the ciphertext. */
  readonly level: Level
  /** Scale of the ciphertext. */
  readonly scale: Scale
}

/** Options of a decryption. */
export interface DecryptionOptions {
  /** The plan's facts, to which the result is held before anything of it is decrypted. */
  readonly contract?: PlanContract
}

/** Decrypts, for the owner of the key or for publication. */
export interface Decryptor {
  /**
   * Whether the errors of what this engine's server computes stay below the plan's bound. Only then can results be published.
   */
  readonly errorsWithinPlan: boolean
  /** What a file of ciphertexts says of itself; nothing is decrypted. @throws FormatError, ParameterMismatchError */
  readFacts(file: Uint8Array): FileFacts
  /**
   * Every ciphertext of a file. The result is private: publishing it, or telling others whether it was what they expected,
   * helps them to find the key (ePrint 2020/1533).
   *
   * @throws FormatError, ParameterMismatchError; InvalidArgumentError for a transparent ciphertext
   */
  decrypt(key: SecretKey, file: Uint8Array, options?: DecryptionOptions): Promise<PrivateSlots[]>
  /**
   * The same with noise flooding, for results that others may see (docs/notes/publishing-results.md). The file must be a result of
   * the plan in the key's ledger, for a request that the ledger remembers; it takes one of the declared queries, whatever
   * happens afterwards.
   *
   * @throws SecurityError when the ledger refuses: spent, other terms than declared, an unknown request or one out of range, no
   * ledger; UnsupportedError where errors have no bound; ParameterMismatchError for another plan, key, level, scale or size;
   * PlanError when too little precision would remain
   */
  decryptForPublication(key: SecretKey, file: Uint8Array, options: PublicationOptions): Promise<PublishedSlots[]>
}

/** A client. */
export interface ClientEngine extends KeyGenerator, Encryptor, Decryptor, AsyncDisposable {
  /** 'native' or 'seal'. */
  readonly name: string
  /** Parameters of every key and ciphertext it makes. */
  readonly parameters: AnyParameters
  /** Ends the engine and frees its memory; twice is harmless. */
  dispose(): Promise<void>
}
