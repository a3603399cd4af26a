/** The part of node-seal 7 that is used, written out here: version 6 is what is installed. */
import type { SealObject } from '../backend.ts'

export type Mode = object
export interface Saved extends SealObject {
  saveToArray(mode: Mode): Uint8Array
}
export interface Loaded extends Saved {
  loadFromArray(context: SealObject, bytes: Uint8Array): void
}
export interface Plain extends Loaded {
  setScale(scale: number): void
}
export interface Cipher extends Plain {
  copy(): Cipher
}
export interface ParmsId extends SealObject {
  values(): BigUint64Array
}
export interface Data extends SealObject {
  parmsId(): ParmsId
  nextContextData(): Data
}
export interface Context extends SealObject {
  parametersSet(): boolean
  firstContextData(): Data
  keyParmsId(): ParmsId
}
export interface Parms extends SealObject {
  setPolyModulusDegree(n: number): void
  setCoeffModulus(moduli: SealObject): void
}
export interface Evaluator extends SealObject {
  add(a: Cipher, b: Cipher, out: Cipher): void
  sub(a: Cipher, b: Cipher, out: Cipher): void
  negate(a: Cipher, out: Cipher): void
  addPlain(a: Cipher, b: Plain, out: Cipher): void
  subPlain(a: Cipher, b: Plain, out: Cipher): void
  multiplyPlain(a: Cipher, b: Plain, out: Cipher): void
  multiply(a: Cipher, b: Cipher, out: Cipher): void
  square(a: Cipher, out: Cipher): void
  relinearize(a: Cipher, key: Loaded, out: Cipher): void
  rescaleToNext(a: Cipher, out: Cipher): void
  applyGalois(a: Cipher, element: number, keys: Loaded, out: Cipher): void
  cipherModSwitchTo(a: Cipher, id: SealObject, out: Cipher): void
  plainModSwitchTo(a: Plain, id: SealObject, out: Plain): void
}
export interface Encoder extends SealObject {
  encode(values: Float64Array, scale: number, out: Plain): void
  decodeFloat64(a: Plain): Float64Array
}
export interface Generator extends SealObject {
  secretKey(): Loaded
  createPublicKey(): Loaded
  createPublicKeySerializable(): Saved
  createRelinKeysSerializable(): Saved
  createGaloisKeysSerializableWithSteps(steps: Int32Array): Saved
}
export interface Encryptor extends SealObject {
  encryptSerializable(a: Plain): Saved
  encryptSymmetricSerializable(a: Plain): Saved
}
export interface Decryptor extends SealObject {
  decrypt(a: Cipher, out: Plain): void
}

/** The part of node-seal 7's module that is used. */
export interface NodeSeal7 {
  readonly SchemeType: { readonly ckks: object }
  readonly SecLevelType: { readonly none: object; readonly tc128: object }
  readonly ComprModeType: { readonly none: Mode }
  readonly EncryptionParameters: new (scheme: object) => Parms
  readonly Modulus: new (value: bigint) => SealObject
  readonly VectorModulus: new () => SealObject & { push_back(m: SealObject): void }
  readonly SEALContext: new (parms: Parms, expand: boolean, security: object) => Context
  readonly Evaluator: new (context: Context) => Evaluator
  readonly CKKSEncoder: new (context: Context) => Encoder
  readonly Plaintext: new () => Plain
  readonly Ciphertext: new () => Cipher
  readonly RelinKeys: new () => Loaded
  readonly GaloisKeys: new () => Loaded
  readonly SecretKey: new () => Loaded
  readonly PublicKey: new () => Loaded
  readonly KeyGenerator: new (context: Context, secret?: SealObject) => Generator
  readonly Encryptor: new (context: Context, publicKey: SealObject, secret?: SealObject) => Encryptor
  readonly Decryptor: new (context: Context, secret: SealObject) => Decryptor
}

/** An opaque object of a backend as one of these, and the reverse. */
export const as = <T>(x: SealObject): T => x as object as T
