import type { SEALLibrary } from 'node-seal/implementation/seal'
import type { SealClientCalls, SealObject, SealSecret } from '../../backend/backend.ts'
import { cipher, plain, secretOf, wrap } from '../../backend/node-seal-6/objects.ts'
import type { Opened6 } from '../../backend/node-seal-6/open.ts'
import { plainBytes } from '../../backend/plain-bytes.ts'
import { filled, scope } from '../../backend/scope.ts'

type Generator = ReturnType<SEALLibrary['KeyGenerator']>

/** Keys, encryption and decryption on a context of node-seal 6. */
export function clientCalls6({ seal, context, uncompressed }: Opened6): SealClientCalls {
  const generate = (
    secret: SealSecret,
    create: (generator: Generator) => SealObject & { saveArray(mode: typeof uncompressed): Uint8Array },
  ): Uint8Array =>
    scope((own) => own(create(own(seal.KeyGenerator(context, secretOf(secret))))).saveArray(uncompressed))
  return {
    generateSecret: () => scope((own) => wrap<SealSecret>(own(seal.KeyGenerator(context)).secretKey())),
    saveSecret: (secret) => secretOf(secret).saveArray(uncompressed),
    loadSecret: (bytes) => filled(seal.SecretKey(), (out) => out.loadArray(context, plainBytes(bytes))),
    generatePublicKey: (secret) => generate(secret, (g) => g.createPublicKeySerializable()),
    generateRelinearizationKey: (secret) => generate(secret, (g) => g.createRelinKeysSerializable()),
    generateGaloisKey: (secret, step) => generate(secret, (g) => g.createGaloisKeysSerializable(Int32Array.of(step))),
    encryptSymmetric: (secret, a) =>
      scope((own) => {
        // the wrapper wants a public key too; any will do
        const unused = own(own(seal.KeyGenerator(context, secretOf(secret))).createPublicKey())
        const encryptor = own(seal.Encryptor(context, unused, secretOf(secret)))
        return own(encryptor.encryptSymmetricSerializable(plain(a))).saveArray(uncompressed)
      }),
    encryptPublic: (bytes, a) =>
      scope((own) => {
        const key = own(seal.PublicKey())
        key.loadArray(context, plainBytes(bytes))
        return own(own(seal.Encryptor(context, key)).encryptSerializable(plain(a))).saveArray(uncompressed)
      }),
    decrypt: (secret, a) =>
      scope((own) => {
        const decryptor = own(seal.Decryptor(context, secretOf(secret)))
        return filled(seal.PlainText(), (out) => decryptor.decrypt(cipher(a), out))
      }),
  }
}
