/**
 * The few things we need of SEAL, in one shape for node-seal 6 and 7, whose interfaces differ in every line. Objects are
 * opaque and must be deleted by hand. Errors come out as whatever the version throws; `attempt` in errors.ts makes them ours.
 */

/** Something in the WebAssembly heap. */
export interface SealObject {
  delete(): void
}
declare const brand: unique symbol
export type SealPlaintext = SealObject & { readonly [brand]: 'plaintext' }
export type SealCiphertext = SealObject & { readonly [brand]: 'ciphertext' }
export type SealRelinearizationKey = SealObject & { readonly [brand]: 'relinearizationKey' }
export type SealGaloisKeys = SealObject & { readonly [brand]: 'galoisKeys' }
export type SealSecret = SealObject & { readonly [brand]: 'secretKey' }

/** A context with its evaluator and encoder. */
export interface SealContext extends SealObject {
  /** 'node-seal 6' or 'node-seal 7'. */
  readonly version: string

  /** SEAL's hashes of its parameters by level; the last one is that of keys. */
  readonly parmsIds: readonly Uint8Array[]

  /** N/2 real values at a level; everything above the level's primes is dropped. */
  encode(values: Float64Array, scale: number, level: number): SealPlaintext
  decode(plain: SealPlaintext): Float64Array
  setScale(object: SealPlaintext | SealCiphertext, scale: number): void
  savePlaintext(plain: SealPlaintext): Uint8Array
  loadPlaintext(bytes: Uint8Array): SealPlaintext

  add(a: SealCiphertext, b: SealCiphertext): SealCiphertext
  sub(a: SealCiphertext, b: SealCiphertext): SealCiphertext
  negate(a: SealCiphertext): SealCiphertext
  addPlain(a: SealCiphertext, b: SealPlaintext): SealCiphertext
  subPlain(a: SealCiphertext, b: SealPlaintext): SealCiphertext
  mulPlain(a: SealCiphertext, b: SealPlaintext): SealCiphertext
  mul(a: SealCiphertext, b: SealCiphertext): SealCiphertext
  square(a: SealCiphertext): SealCiphertext
  relinearize(a: SealCiphertext, key: SealRelinearizationKey): SealCiphertext
  rescale(a: SealCiphertext): SealCiphertext
  applyGalois(a: SealCiphertext, element: number, keys: SealGaloisKeys): SealCiphertext
  /** To a level at or below the operand's, without rescaling. */
  dropTo(a: SealCiphertext, level: number): SealCiphertext
  dropPlaintextTo(a: SealPlaintext, level: number): SealPlaintext
  clone(a: SealCiphertext): SealCiphertext
  saveCiphertext(a: SealCiphertext): Uint8Array
  loadCiphertext(bytes: Uint8Array): SealCiphertext

  loadRelinearizationKey(bytes: Uint8Array): SealRelinearizationKey
  loadGaloisKeys(bytes: Uint8Array): SealGaloisKeys
}

/** The client's half of a context. */
export interface SealClientContext extends SealContext {
  generateSecret(): SealSecret
  saveSecret(secret: SealSecret): Uint8Array
  loadSecret(bytes: Uint8Array): SealSecret
  generatePublicKey(secret: SealSecret): Uint8Array
  generateRelinearizationKey(secret: SealSecret): Uint8Array
  /** SEAL takes a step of 0 for conjugation. */
  generateGaloisKey(secret: SealSecret, step: number): Uint8Array
  /** Seeded: about half the size. */
  encryptSymmetric(secret: SealSecret, plain: SealPlaintext): Uint8Array
  encryptPublic(publicKey: Uint8Array, plain: SealPlaintext): Uint8Array
  decrypt(secret: SealSecret, ciphertext: SealCiphertext): SealPlaintext
}

/** What a context computes and loads, apart from what it is. */
export type SealEvaluation = Omit<SealContext, 'version' | 'parmsIds' | 'delete'>

/** What the client's half adds. */
export type SealClientCalls = Omit<SealClientContext, keyof SealContext>

/** Ring and primes: ciphertext primes by level, then the special prime. */
export interface SealSpec {
  readonly ringDegree: number
  readonly primes: readonly number[]
  /** SEAL's own check: 128 bits, or none for insecure parameters alone. */
  readonly security: 128 | 0
}
