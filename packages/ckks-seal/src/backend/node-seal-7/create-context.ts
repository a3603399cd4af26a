/** node-seal 7: the compiled library's own classes. Its types are written out here, for version 6 is what is installed. */
import type {
  SealCiphertext,
  SealClientContext,
  SealGaloisKeys,
  SealObject,
  SealPlaintext,
  SealRelinearizationKey,
  SealSecret,
  SealSpec,
} from '../backend.ts'
import { plainBytes } from '../plain-bytes.ts'
import { filled, scope } from '../scope.ts'

type Mode = object
interface Saved extends SealObject {
  saveToArray(mode: Mode): Uint8Array
}
interface Loaded extends Saved {
  loadFromArray(context: SealObject, bytes: Uint8Array): void
}
interface Plain extends Loaded {
  setScale(scale: number): void
}
interface Cipher extends Plain {
  copy(): Cipher
}
interface ParmsId extends SealObject {
  values(): BigUint64Array
}
interface Data extends SealObject {
  parmsId(): ParmsId
  nextContextData(): Data
}
interface Context extends SealObject {
  parametersSet(): boolean
  firstContextData(): Data
  keyParmsId(): ParmsId
}
interface Parms extends SealObject {
  setPolyModulusDegree(n: number): void
  setCoeffModulus(moduli: SealObject): void
}
interface Evaluator extends SealObject {
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
interface Encoder extends SealObject {
  encode(values: Float64Array, scale: number, out: Plain): void
  decodeFloat64(a: Plain): Float64Array
}
interface Generator extends SealObject {
  secretKey(): Loaded
  createPublicKey(): Loaded
  createPublicKeySerializable(): Saved
  createRelinKeysSerializable(): Saved
  createGaloisKeysSerializableWithSteps(steps: Int32Array): Saved
}
interface Encryptor extends SealObject {
  encryptSerializable(a: Plain): Saved
  encryptSymmetricSerializable(a: Plain): Saved
}
interface Decryptor extends SealObject {
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

const as = <T>(x: SealObject): T => x as object as T

type Own = <T extends SealObject>(object: T) => T

function newContext(seal: NodeSeal7, spec: SealSpec, own: Own): Context {
  const parms = own(new seal.EncryptionParameters(seal.SchemeType.ckks))
  const moduli = own(new seal.VectorModulus())
  for (const prime of spec.primes) moduli.push_back(own(new seal.Modulus(BigInt(prime))))
  parms.setPolyModulusDegree(spec.ringDegree)
  parms.setCoeffModulus(moduli)
  const security = spec.security === 128 ? seal.SecLevelType.tc128 : seal.SecLevelType.none
  return filled(new seal.SEALContext(parms, true, security), (context) => {
    if (!context.parametersSet()) throw new Error('SEAL refuses these parameters')
  })
}

/** A context on node-seal 7. */
export function createContext7(seal: NodeSeal7, spec: SealSpec): SealClientContext {
  const context = scope((own) => newContext(seal, spec, own))
  const levels: ParmsId[] = []
  const top = spec.primes.length - 2
  for (let level = top, data = context.firstContextData(); ; level--) {
    levels[level] = data.parmsId()
    const next = level > 0 ? data.nextContextData() : undefined
    data.delete()
    if (!next) break
    data = next
  }
  const keyId = context.keyParmsId()
  const parmsIds = [...levels, keyId].map((id) => new Uint8Array(BigUint64Array.from(id.values()).buffer))
  keyId.delete()
  const evaluator = new seal.Evaluator(context)
  const encoder = new seal.CKKSEncoder(context)
  const { none } = seal.ComprModeType
  const result = (compute: (out: Cipher) => void): SealCiphertext => filled(new seal.Ciphertext(), compute)
  /** Bytes of what `create` makes. */
  const saved = (create: (own: Own) => Saved): Uint8Array =>
    scope((own) => Uint8Array.from(own(create(own)).saveToArray(none)))
  const withGenerator = (secret: SealObject, create: (generator: Generator) => Saved): Uint8Array =>
    saved((own) => create(own(new seal.KeyGenerator(context, secret))))
  return {
    version: 'node-seal 7',
    parmsIds,
    encode: (values, scale, level) =>
      filled(new seal.Plaintext(), (out) => {
        encoder.encode(values, scale, out)
        if (level < top) evaluator.plainModSwitchTo(out, levels[level]!, out)
      }),
    decode: (a) => Float64Array.from(encoder.decodeFloat64(as<Plain>(a))),
    setScale: (a, scale) => as<Plain>(a).setScale(scale),
    savePlaintext: (a) => Uint8Array.from(as<Plain>(a).saveToArray(none)),
    loadPlaintext: (bytes) =>
      filled<Plain, SealPlaintext>(new seal.Plaintext(), (out) => out.loadFromArray(context, plainBytes(bytes))),

    add: (a, b) => result((out) => evaluator.add(as<Cipher>(a), as<Cipher>(b), out)),
    sub: (a, b) => result((out) => evaluator.sub(as<Cipher>(a), as<Cipher>(b), out)),
    negate: (a) => result((out) => evaluator.negate(as<Cipher>(a), out)),
    addPlain: (a, b) => result((out) => evaluator.addPlain(as<Cipher>(a), as<Plain>(b), out)),
    subPlain: (a, b) => result((out) => evaluator.subPlain(as<Cipher>(a), as<Plain>(b), out)),
    mulPlain: (a, b) => result((out) => evaluator.multiplyPlain(as<Cipher>(a), as<Plain>(b), out)),
    mul: (a, b) => result((out) => evaluator.multiply(as<Cipher>(a), as<Cipher>(b), out)),
    square: (a) => result((out) => evaluator.square(as<Cipher>(a), out)),
    relinearize: (a, key) => result((out) => evaluator.relinearize(as<Cipher>(a), as<Loaded>(key), out)),
    rescale: (a) => result((out) => evaluator.rescaleToNext(as<Cipher>(a), out)),
    applyGalois: (a, element, keys) =>
      result((out) => evaluator.applyGalois(as<Cipher>(a), element, as<Loaded>(keys), out)),
    dropTo: (a, level) => result((out) => evaluator.cipherModSwitchTo(as<Cipher>(a), levels[level]!, out)),
    dropPlaintextTo: (a, level) =>
      filled<Plain, SealPlaintext>(new seal.Plaintext(), (out) =>
        evaluator.plainModSwitchTo(as<Plain>(a), levels[level]!, out),
      ),
    clone: (a) => as<SealCiphertext>(as<Cipher>(a).copy()),
    saveCiphertext: (a) => Uint8Array.from(as<Cipher>(a).saveToArray(none)),
    loadCiphertext: (bytes) => result((out) => out.loadFromArray(context, plainBytes(bytes))),

    loadRelinearizationKey: (bytes) =>
      filled<Loaded, SealRelinearizationKey>(new seal.RelinKeys(), (out) =>
        out.loadFromArray(context, plainBytes(bytes)),
      ),
    loadGaloisKeys: (bytes) =>
      filled<Loaded, SealGaloisKeys>(new seal.GaloisKeys(), (out) => out.loadFromArray(context, plainBytes(bytes))),

    generateSecret: () => scope((own) => as<SealSecret>(own(new seal.KeyGenerator(context)).secretKey())),
    saveSecret: (secret) => {
      const view = as<Loaded>(secret).saveToArray(none)
      const bytes = Uint8Array.from(view)
      // the library's own copy
      view.fill(0)
      return bytes
    },
    loadSecret: (bytes) =>
      filled<Loaded, SealSecret>(new seal.SecretKey(), (out) => out.loadFromArray(context, plainBytes(bytes))),
    generatePublicKey: (secret) => withGenerator(secret, (g) => g.createPublicKeySerializable()),
    generateRelinearizationKey: (secret) => withGenerator(secret, (g) => g.createRelinKeysSerializable()),
    generateGaloisKey: (secret, step) =>
      withGenerator(secret, (g) => g.createGaloisKeysSerializableWithSteps(Int32Array.of(step))),
    encryptSymmetric: (secret, a) =>
      saved((own) => {
        // the constructor wants a public key too; any will do
        const unused = own(own(new seal.KeyGenerator(context, secret)).createPublicKey())
        return own(new seal.Encryptor(context, unused, secret)).encryptSymmetricSerializable(as<Plain>(a))
      }),
    encryptPublic: (bytes, a) =>
      saved((own) => {
        const key = own(new seal.PublicKey())
        key.loadFromArray(context, plainBytes(bytes))
        return own(new seal.Encryptor(context, key)).encryptSerializable(as<Plain>(a))
      }),
    decrypt: (secret, a) =>
      scope((own) => {
        const decryptor = own(new seal.Decryptor(context, secret))
        return filled<Plain, SealPlaintext>(new seal.Plaintext(), (out) => decryptor.decrypt(as<Cipher>(a), out))
      }),
    delete: () => {
      for (const object of [encoder, evaluator, ...levels, context]) object.delete()
    },
  }
}
