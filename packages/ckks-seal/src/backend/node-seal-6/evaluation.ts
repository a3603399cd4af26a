import type { SealCiphertext, SealEvaluation } from '../backend.ts'
import { plainBytes } from '../plain-bytes.ts'
import { filled } from '../scope.ts'
import { type Cipher, cipher, galois, plain, relin, wrap } from './objects.ts'
import type { Opened6 } from './open.ts'

/** Encoding, arithmetic and files of a context of node-seal 6. */
export function evaluation6({ seal, context, evaluator, encoder, levels, uncompressed }: Opened6): SealEvaluation {
  const result = (compute: (out: Cipher) => void): SealCiphertext => filled(seal.CipherText(), compute)
  return {
    encode: (values, scale, level) =>
      filled(seal.PlainText(), (out) => {
        encoder.encode(values, scale, out)
        if (level < levels.length - 1) evaluator.plainModSwitchTo(out, levels[level]!, out)
      }),
    decode: (a) => encoder.decode(plain(a)),
    setScale: (a, scale) => (a as object as Cipher).setScale(scale),
    savePlaintext: (a) => plain(a).saveArray(uncompressed),
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
    saveCiphertext: (a) => cipher(a).saveArray(uncompressed),
    loadCiphertext: (bytes) => result((out) => out.loadArray(context, plainBytes(bytes))),

    loadRelinearizationKey: (bytes) => filled(seal.RelinKeys(), (out) => out.loadArray(context, plainBytes(bytes))),
    loadGaloisKeys: (bytes) => filled(seal.GaloisKeys(), (out) => out.loadArray(context, plainBytes(bytes))),
  }
}
