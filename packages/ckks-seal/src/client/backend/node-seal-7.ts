import type { SealClientCalls, SealObject, SealPlaintext, SealSecret } from '../../backend/backend.ts'
import {
  as,
  type Cipher,
  type Generator,
  type Loaded,
  type Plain,
  type Saved,
} from '../../backend/node-seal-7/library.ts'
import type { Opened7 } from '../../backend/node-seal-7/open.ts'
import { plainBytes } from '../../backend/plain-bytes.ts'
import { filled, scope } from '../../backend/scope.ts'

/** Keys, encryption and decryption on a context of node-seal 7. */
export function clientCalls7({ seal, context, uncompressed }: Opened7): SealClientCalls {
  /** Bytes of what `create` makes. */
  const saved = (create: (own: <T extends SealObject>(object: T) => T) => Saved): Uint8Array =>
    scope((own) => Uint8Array.from(own(create(own)).saveToArray(uncompressed)))
  const withGenerator = (secret: SealObject, create: (generator: Generator) => Saved): Uint8Array =>
    saved((own) => create(own(new seal.KeyGenerator(context, secret))))
  return {
    generateSecret: () => scope((own) => as<SealSecret>(own(new seal.KeyGenerator(context)).secretKey())),
    saveSecret: (secret) => {
      const view = as<Loaded>(secret).saveToArray(uncompressed)
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
  }
}
