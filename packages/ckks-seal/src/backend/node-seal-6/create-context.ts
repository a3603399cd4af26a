/** node-seal 6: an object layer with getters over the compiled library. */
import type { SEALLibrary } from 'node-seal/implementation/seal'
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

type Plain = ReturnType<SEALLibrary['PlainText']>
type Cipher = ReturnType<SEALLibrary['CipherText']>
type Relin = ReturnType<SEALLibrary['RelinKeys']>
type Galois = ReturnType<SEALLibrary['GaloisKeys']>
type Secret = ReturnType<SEALLibrary['SecretKey']>
type ParmsId = ReturnType<SEALLibrary['Context']>['firstParmsId']

const plain = (x: SealPlaintext): Plain => x as object as Plain
const cipher = (x: SealCiphertext): Cipher => x as object as Cipher
const relin = (x: SealRelinearizationKey): Relin => x as object as Relin
const galois = (x: SealGaloisKeys): Galois => x as object as Galois
const secretOf = (x: SealSecret): Secret => x as object as Secret
const wrap = <T>(x: object): T => x as T

type Own = <T extends SealObject>(object: T) => T

function newContext(seal: SEALLibrary, spec: SealSpec, own: Own): ReturnType<SEALLibrary['Context']> {
  const parms = own(seal.EncryptionParameters(seal.SchemeType.ckks))
  parms.setPolyModulusDegree(spec.ringDegree)
  const moduli = own(seal.Vector())
  const primes = spec.primes.map((p) => own(seal.Modulus(BigInt(p))))
  moduli.from(primes.map((m) => m.instance) as never, 'Modulus')
  parms.setCoeffModulus(moduli)
  const security = spec.security === 128 ? seal.SecurityLevel.tc128 : seal.SecurityLevel.none
  return filled(seal.Context(parms, true, security), (context) => {
    if (!context.parametersSet()) throw new Error('SEAL refuses these parameters')
  })
}

/** A context on node-seal 6. */
export function createContext6(seal: SEALLibrary, spec: SealSpec): SealClientContext {
  const context = scope((own) => newContext(seal, spec, own))
  const levels: ParmsId[] = []
  const top = spec.primes.length - 2
  for (let level = top, data = context.firstContextData; ; level--) {
    levels[level] = data.parmsId
    const next = level > 0 ? data.nextContextData : undefined
    data.delete()
    if (!next) break
    data = next
  }
  const keyId = context.keyParmsId
  const parmsIds = [...levels, keyId].map((id) => new Uint8Array(id.values.buffer))
  keyId.delete()
  const evaluator = seal.Evaluator(context)
  const encoder = seal.CKKSEncoder(context)
  const none = seal.ComprModeType.none
  const result = (compute: (out: Cipher) => void): SealCiphertext => filled(seal.CipherText(), compute)
  const generate = (
    secret: SealSecret,
    create: (generator: ReturnType<SEALLibrary['KeyGenerator']>) => SealObject & {
      saveArray(c: typeof none): Uint8Array
    },
  ): Uint8Array => scope((own) => own(create(own(seal.KeyGenerator(context, secretOf(secret))))).saveArray(none))
  return {
    version: 'node-seal 6',
    parmsIds,
    encode: (values, scale, level) =>
      filled(seal.PlainText(), (out) => {
        encoder.encode(values, scale, out)
        if (level < top) evaluator.plainModSwitchTo(out, levels[level]!, out)
      }),
    decode: (a) => encoder.decode(plain(a)),
    setScale: (a, scale) => (a as object as Cipher).setScale(scale),
    savePlaintext: (a) => plain(a).saveArray(none),
    loadPlaintext: (bytes) => filled(seal.PlainText(), (out) => out.loadArray(context, plainBytes(bytes))),

    add: (a, b) => result((out) => evaluator.add(cipher(a), cipher(b), out)),
    sub: (a, b) => result((out) => evaluator.sub(cipher(a), cipher(b), out)),
    negate: (a) => result((out) => evaluator.negate(cipher(a), out)),
    addPlain: (a, b) => result((out) => evaluator.addPlain(cipher(a), plain(b), out)),
    subPlain: (a, b) => result((out) => evaluator.subPlain(cipher(a), plain(b), out)),
    mulPlain: (a, b) => result((out) => evaluator.multiplyPlain(cipher(a), plain(b), out)),
    mul: (a, b) => result((out) => evaluator.multiply(cipher(a), cipher(b), out)),
    square: (a) => result((out) => evaluator.square(cipher(a), out)),
    relinearize: (a, key) => result((out) => evaluator.relinearize(cipher(a), relin(key), out)),
    rescale: (a) => result((out) => evaluator.rescaleToNext(cipher(a), out)),
    applyGalois: (a, element, keys) => result((out) => evaluator.applyGalois(cipher(a), element, galois(keys), out)),
    dropTo: (a, level) => result((out) => evaluator.cipherModSwitchTo(cipher(a), levels[level]!, out)),
    dropPlaintextTo: (a, level) =>
      filled(seal.PlainText(), (out) => evaluator.plainModSwitchTo(plain(a), levels[level]!, out)),
    clone: (a) => wrap<SealCiphertext>(cipher(a).clone()),
    saveCiphertext: (a) => cipher(a).saveArray(none),
    loadCiphertext: (bytes) => result((out) => out.loadArray(context, plainBytes(bytes))),

    loadRelinearizationKey: (bytes) => filled(seal.RelinKeys(), (out) => out.loadArray(context, plainBytes(bytes))),
    loadGaloisKeys: (bytes) => filled(seal.GaloisKeys(), (out) => out.loadArray(context, plainBytes(bytes))),

    generateSecret: () => scope((own) => wrap<SealSecret>(own(seal.KeyGenerator(context)).secretKey())),
    saveSecret: (secret) => secretOf(secret).saveArray(none),
    loadSecret: (bytes) => filled(seal.SecretKey(), (out) => out.loadArray(context, plainBytes(bytes))),
    generatePublicKey: (secret) => generate(secret, (g) => g.createPublicKeySerializable()),
    generateRelinearizationKey: (secret) => generate(secret, (g) => g.createRelinKeysSerializable()),
    generateGaloisKey: (secret, step) => generate(secret, (g) => g.createGaloisKeysSerializable(Int32Array.of(step))),
    encryptSymmetric: (secret, a) =>
      scope((own) => {
        // the wrapper wants a public key too; any will do
        const unused = own(own(seal.KeyGenerator(context, secretOf(secret))).createPublicKey())
        const encryptor = own(seal.Encryptor(context, unused, secretOf(secret)))
        return own(encryptor.encryptSymmetricSerializable(plain(a))).saveArray(none)
      }),
    encryptPublic: (bytes, a) =>
      scope((own) => {
        const key = own(seal.PublicKey())
        key.loadArray(context, plainBytes(bytes))
        return own(own(seal.Encryptor(context, key)).encryptSerializable(plain(a))).saveArray(none)
      }),
    decrypt: (secret, a) =>
      scope((own) => {
        const decryptor = own(seal.Decryptor(context, secretOf(secret)))
        return filled(seal.PlainText(), (out) => decryptor.decrypt(cipher(a), out))
      }),
    delete: () => {
      for (const object of [encoder, evaluator, ...levels, context]) object.delete()
    },
  }
}
