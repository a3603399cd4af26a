import type {
  SealCiphertext,
  SealEvaluation,
  SealGaloisKeys,
  SealPlaintext,
  SealRelinearizationKey,
} from '../backend.ts'
import { plainBytes } from '../plain-bytes.ts'
import { filled } from '../scope.ts'
import { as, type Cipher, type Loaded, type Plain } from './library.ts'
import type { Opened7 } from './open.ts'

/** Encoding, arithmetic and files of a context of node-seal 7. */
export function evaluation7({ seal, context, evaluator, encoder, levels, uncompressed }: Opened7): SealEvaluation {
  const result = (compute: (out: Cipher) => void): SealCiphertext => filled(new seal.Ciphertext(), compute)
  return {
    encode: (values, scale, level) =>
      filled(new seal.Plaintext(), (out) => {
        encoder.encode(values, scale, out)
        if (level < levels.length - 1) evaluator.plainModSwitchTo(out, levels[level]!, out)
      }),
    decode: (a) => Float64Array.from(encoder.decodeFloat64(as<Plain>(a))),
    setScale: (a, scale) => as<Plain>(a).setScale(scale),
    savePlaintext: (a) => Uint8Array.from(as<Plain>(a).saveToArray(uncompressed)),
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
    saveCiphertext: (a) => Uint8Array.from(as<Cipher>(a).saveToArray(uncompressed)),
    loadCiphertext: (bytes) => result((out) => out.loadFromArray(context, plainBytes(bytes))),

    loadRelinearizationKey: (bytes) =>
      filled<Loaded, SealRelinearizationKey>(new seal.RelinKeys(), (out) =>
        out.loadFromArray(context, plainBytes(bytes)),
      ),
    loadGaloisKeys: (bytes) =>
      filled<Loaded, SealGaloisKeys>(new seal.GaloisKeys(), (out) => out.loadFromArray(context, plainBytes(bytes))),
  }
}
