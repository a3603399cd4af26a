/** node-seal 6: an object layer with getters over the compiled library. */
import type { SEALLibrary } from 'node-seal/implementation/seal'
import type {
  SealCiphertext,
  SealClientContext,
  SealGaloisKeys,
  SealPlaintext,
  SealRelinearizationKey,
  SealSecret,
  SealSpec,
} from './backend.ts'

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

/** Runs `fill` on a fresh object; deletes it when that fails. */
function filled<T extends { delete(): void }, R>(object: T, fill: (object: T) => void): R {
  try {
    fill(object)
    return wrap<R>(object)
  } catch (error) {
    object.delete()
    throw error
  }
}

/** A context on node-seal 6. */
export function createContext6(seal: SEALLibrary, spec: SealSpec): SealClientContext {
  const parms = seal.EncryptionParameters(seal.SchemeType.ckks)
  parms.setPolyModulusDegree(spec.ringDegree)
  const moduli = seal.Vector()
  const primes = spec.primes.map((p) => seal.Modulus(BigInt(p)))
  moduli.from(primes.map((m) => m.instance) as never, 'Modulus')
  parms.setCoeffModulus(moduli)
  const context = seal.Context(parms, true, spec.security === 128 ? seal.SecurityLevel.tc128 : seal.SecurityLevel.none)
  for (const object of [moduli, ...primes, parms]) object.delete()
  if (!context.parametersSet()) {
    context.delete()
    throw new Error('SEAL refuses these parameters')
  }
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
    save: (generator: ReturnType<SEALLibrary['KeyGenerator']>) => {
      saveArray(c: typeof none): Uint8Array
      delete(): void
    },
  ): Uint8Array => {
    const generator = seal.KeyGenerator(context, secretOf(secret))
    try {
      const key = save(generator)
      const bytes = key.saveArray(none)
      key.delete()
      return bytes
    } finally {
      generator.delete()
    }
  }
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
    loadPlaintext: (bytes) => filled(seal.PlainText(), (out) => out.loadArray(context, bytes)),

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
    loadCiphertext: (bytes) => result((out) => out.loadArray(context, bytes)),

    loadRelinearizationKey: (bytes) => filled(seal.RelinKeys(), (out) => out.loadArray(context, bytes)),
    loadGaloisKeys: (bytes) => filled(seal.GaloisKeys(), (out) => out.loadArray(context, bytes)),

    generateSecret: () => {
      const generator = seal.KeyGenerator(context)
      const secret = generator.secretKey()
      generator.delete()
      return wrap<SealSecret>(secret)
    },
    saveSecret: (secret) => secretOf(secret).saveArray(none),
    loadSecret: (bytes) => filled(seal.SecretKey(), (out) => out.loadArray(context, bytes)),
    generatePublicKey: (secret) => generate(secret, (g) => g.createPublicKeySerializable()),
    generateRelinearizationKey: (secret) => generate(secret, (g) => g.createRelinKeysSerializable()),
    generateGaloisKey: (secret, step) => generate(secret, (g) => g.createGaloisKeysSerializable(Int32Array.of(step))),
    encryptSymmetric: (secret, a) => {
      // the wrapper wants a public key too; any will do
      const generator = seal.KeyGenerator(context, secretOf(secret))
      const unused = generator.createPublicKey()
      const encryptor = seal.Encryptor(context, unused, secretOf(secret))
      try {
        const ciphertext = encryptor.encryptSymmetricSerializable(plain(a))
        const bytes = ciphertext.saveArray(none)
        ciphertext.delete()
        return bytes
      } finally {
        for (const object of [encryptor, unused, generator]) object.delete()
      }
    },
    encryptPublic: (bytes, a) => {
      const key = seal.PublicKey()
      try {
        key.loadArray(context, bytes)
        const encryptor = seal.Encryptor(context, key)
        const ciphertext = encryptor.encryptSerializable(plain(a))
        const encrypted = ciphertext.saveArray(none)
        ciphertext.delete()
        encryptor.delete()
        return encrypted
      } finally {
        key.delete()
      }
    },
    decrypt: (secret, a) => {
      const decryptor = seal.Decryptor(context, secretOf(secret))
      try {
        return filled(seal.PlainText(), (out) => decryptor.decrypt(cipher(a), out))
      } finally {
        decryptor.delete()
      }
    },
    delete: () => {
      for (const object of [encoder, evaluator, ...levels, context]) object.delete()
    },
  }
}
