/**
 * The client's side on node-seal: everything in SEAL's own serialization. Files carry no names, plans or key ids; SEAL puts the
 * hash of its parameters into each object and checks it. Calls block while they work.
 */
import {
  type AnyParameters,
  assertFileParameters,
  CancelledError,
  conjugationElement,
  InvalidArgumentError,
  type KeyRequest,
  listKeyNeeds,
  ScaleError,
  sha256,
  toHex,
  UnsupportedError,
} from '@he-ml/ckks-core'
import {
  BaseClientEngine,
  type EncryptionTask,
  type FileFacts,
  type KeyFile,
  type KeyGenerationOptions,
  type PrivateSlots,
  type SecretKey,
} from '@he-ml/ckks-core/client'
import type { SealClientContext } from '../backend/backend.ts'
import { attempt } from '../backend/errors.ts'
import { loadSeal, type SealModule } from '../backend/load.ts'
import { decodeSlots, encodeSlots, roomBits } from '../encode-slots.ts'
import { ExactPlaintexts } from '../exact-plaintexts.ts'
import { sealGaloisElement, sealSpec } from '../parameters.ts'
import {
  checkCiphertextBytes,
  checkPublicKeyBytes,
  checkSecretKeyBytes,
  type SealShape,
  splitBlobs,
} from '../seal-bytes.ts'
import { createClientContext } from './backend/create-client-context.ts'
import { assertUniformTernary, secretKeyName } from './seal-secret-bytes.ts'
import { SealSecretKey } from './seal-secret-key.ts'

/**
 * See {@link createSealClient}. It publishes nothing: SEAL's digits are not centred, so a rotation adds an error whose mean
 * depends on the key (in slot 0 some 25 times the root mean square), and the plan's model knows no such part.
 */
export class SealClient extends BaseClientEngine {
  readonly name = 'seal'
  override readonly errorsWithinPlan = false
  readonly #context: SealClientContext
  readonly #shape: SealShape
  readonly #exact: ExactPlaintexts
  #disposed = false

  /** @internal use {@link createSealClient} */
  constructor(parameters: AnyParameters, module: SealModule) {
    assertFileParameters(parameters, 'createSealClient')
    super(parameters)
    const spec = sealSpec(parameters)
    this.#context = attempt('createSealClient', () => createClientContext(module, spec))
    this.#shape = { ...spec, parmsIds: this.#context.parmsIds }
    this.#exact = new ExactPlaintexts(this.#context, parameters.ringDegree, parameters.qLimbs)
  }

  async generateSecretKey(): Promise<SecretKey> {
    const secret = attempt('generateSecretKey', () => this.#context.generateSecret())
    const saved = attempt('generateSecretKey', () => this.#context.saveSecret(secret))
    try {
      return new SealSecretKey(this.parameters, secret, secretKeyName(saved))
    } finally {
      saved.fill(0)
    }
  }
  async exportSecretKey(key: SecretKey): Promise<Uint8Array> {
    const secret = this.#secret(key, 'exportSecretKey')
    return attempt('exportSecretKey', () => this.#context.saveSecret(secret))
  }
  /**
   * SEAL's format names no key; its `keyId` is a hash of it.
   * @throws FormatError also for a secret that is not uniform ternary
   */
  async importSecretKey(bytes: Uint8Array): Promise<SecretKey> {
    checkSecretKeyBytes(bytes, this.#shape)
    assertUniformTernary(bytes, this.#shape.ringDegree, this.#shape.primes)
    const secret = attempt('importSecretKey', () => this.#context.loadSecret(bytes), 'load')
    return new SealSecretKey(this.parameters, secret, secretKeyName(bytes))
  }
  async generatePublicKey(key: SecretKey): Promise<Uint8Array> {
    const secret = this.#secret(key, 'generatePublicKey')
    return attempt('generatePublicKey', () => this.#context.generatePublicKey(secret))
  }

  /** One key per file, each for the top level, for SEAL knows no others. */
  async *generateEvaluationKeys(
    key: SecretKey,
    request: KeyRequest,
    options: KeyGenerationOptions = {},
  ): AsyncIterable<KeyFile> {
    if (request.encapsulation !== undefined)
      throw new UnsupportedError('generateEvaluationKeys: SEAL has no bootstrapping: use the native engine')
    const needs = listKeyNeeds(request)
    const { logN, maxLevel: level } = this.parameters
    for (const [i, need] of needs.entries()) {
      if (options.signal?.aborted)
        throw new CancelledError('generateEvaluationKeys: cancelled', { cause: options.signal.reason })
      const secret = this.#secret(key, 'generateEvaluationKeys')
      if (need.kind === 'relinearization') {
        const bytes = attempt('generateEvaluationKeys', () => this.#context.generateRelinearizationKey(secret))
        yield { name: 'relinearization.key', kind: 'relinearizationKey', level, bytes, sha256: toHex(sha256(bytes)) }
      } else {
        const step = need.kind === 'rotation' ? need.steps : 0
        const galoisElement = step === 0 ? conjugationElement(logN) : sealGaloisElement(step, logN)
        const bytes = attempt('generateEvaluationKeys', () => this.#context.generateGaloisKey(secret, step))
        const name = `galois-${galoisElement}.key`
        yield { name, kind: 'galoisKey', level, galoisElement, bytes, sha256: toHex(sha256(bytes)) }
      }
      options.onProgress?.(i + 1, needs.length)
    }
  }

  protected async encryptTask(
    key: SecretKey | Uint8Array,
    { inputs, level, scale }: EncryptionTask,
  ): Promise<Uint8Array> {
    if (!(Number.isFinite(scale) && scale > 1 && Math.log2(scale) < roomBits(this.parameters, level)))
      throw new ScaleError(`encrypt: scale ${scale} is not between 1 and the modulus of level ${level}`)
    if (inputs.length === 0) throw new InvalidArgumentError('encrypt: at least one input is needed')
    const blobs = inputs.map(({ values }) => {
      return attempt('encrypt', () => {
        const plain = encodeSlots(this.#context, this.#exact, this.parameters, values, { level, scale })
        try {
          return key instanceof Uint8Array
            ? this.#encryptPublic(key, plain)
            : this.#context.encryptSymmetric(this.#secret(key, 'encrypt'), plain)
        } finally {
          plain.delete()
        }
      })
    })
    const file = new Uint8Array(blobs.reduce((a, b) => a + b.length, 0))
    let offset = 0
    for (const blob of blobs) {
      file.set(blob, offset)
      offset += blob.length
    }
    return file
  }

  /** SEAL's format names neither plan nor key nor request, and knows no period. */
  readFacts(file: Uint8Array): FileFacts {
    return {
      ciphertexts: splitBlobs(file).map((blob) => {
        const { limbs, scale, size } = checkCiphertextBytes(blob, this.#shape)
        return { level: limbs - 1, scale, degree: size - 1, slots: undefined }
      }),
    }
  }

  /** Slots of every ciphertext of a file; all N/2 of them, for SEAL's format knows no period. */
  protected async decryptFile(key: SecretKey, file: Uint8Array): Promise<PrivateSlots[]> {
    const secret = this.#secret(key, 'decrypt')
    const slots = this.parameters.maxSlots
    return splitBlobs(file).map((blob) => {
      const { limbs, scale } = checkCiphertextBytes(blob, this.#shape)
      const level = limbs - 1
      const ciphertext = attempt('decrypt', () => this.#context.loadCiphertext(blob), 'load')
      try {
        return attempt('decrypt', () => {
          const plain = this.#context.decrypt(secret, ciphertext)
          try {
            const halves = decodeSlots(this.#context, this.#exact, plain, { level, scale, slots })
            return { visibility: 'private', ...halves, slots, level, scale }
          } finally {
            plain.delete()
          }
        })
      } finally {
        ciphertext.delete()
      }
    })
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    this.#context.delete()
  }

  #encryptPublic(bytes: Uint8Array, plain: Parameters<SealClientContext['encryptPublic']>[1]): Uint8Array {
    checkPublicKeyBytes(bytes, this.#shape)
    return attempt('encrypt', () => this.#context.encryptPublic(bytes, plain), 'load')
  }
  #secret(key: SecretKey, operation: string) {
    this.checkKey(key, operation)
    if (!(key instanceof SealSecretKey))
      throw new UnsupportedError(`${operation}: a secret key of the seal client is needed`)
    return key.object
  }
}

/**
 * A client on node-seal 6 or 7.
 *
 * @throws UnsupportedError for parameters SEAL cannot use (see `sealParameters`), or when node-seal cannot be loaded
 */
export async function createSealClient(
  parameters: AnyParameters,
  options: { readonly seal?: SealModule } = {},
): Promise<SealClient> {
  sealSpec(parameters)
  return new SealClient(parameters, options.seal ?? (await loadSeal()))
}
