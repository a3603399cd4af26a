/**
 * The client on the compiled engine: keys, encryption, decryption. Everything goes in and out as files of ours; a server
 * gets what generateEvaluationKeys and encrypt make, never the key.
 */
import {
  type AnyParameters,
  assertEphemeralSecure,
  assertFileParameters,
  beginContainer,
  describeKey,
  encodeContainer,
  type FileHeader,
  finishContainer,
  type KeyRequest,
  listKeyNeeds,
  parseContainer,
  segmentShapes,
  shapeBytes,
} from '@he-ml/ckks-core'
import {
  BaseClientEngine,
  createKeyId,
  type EncryptionTask,
  type FileFacts,
  type KeyFile,
  type KeyGenerationOptions,
  type KeyHeader,
  keyFileName,
  keyHeader,
  type PrivateSlots,
  type Provenance,
  type SecretKey,
} from '@he-ml/ckks-core/client'
import type { BindingClient } from '../binding.ts'
import { encodeCiphertexts } from '../ciphertext-files.ts'
import { native, nativeAsync, throwIfAborted } from '../errors.ts'
import { assertKeySecure } from '../keys/load-keys.ts'
import { checkEngineOptions } from '../native-engine.ts'
import { bindingSpec } from '../spec.ts'
import { loadNativeClient } from './client-loader.ts'
import { NativeSecretKey } from './native-secret-key.ts'

/** Options of {@link createNativeClient}. */
export interface NativeClientOptions {
  /** Worker threads; default: the machine's cores. */
  readonly threads?: number
}

/** See {@link createNativeClient}. */
export class NativeClient extends BaseClientEngine {
  readonly name = 'native'
  /** Digits are centred, so that errors of key switching have no constant part (docs/notes/noise-model.md). */
  override readonly errorsWithinPlan = true
  readonly #binding: BindingClient

  constructor(parameters: AnyParameters, options: NativeClientOptions = {}) {
    assertFileParameters(parameters, 'createNativeClient')
    super(parameters)
    const { threads } = checkEngineOptions(options)
    const { Client } = loadNativeClient()
    this.#binding = native(() => new Client(bindingSpec(parameters), { threads }))
  }

  async generateSecretKey(): Promise<SecretKey> {
    const handle = await nativeAsync(() => this.#binding.generateSecretKey())
    return new NativeSecretKey(this.parameters, this.#binding, handle, createKeyId())
  }

  async exportSecretKey(key: SecretKey, options: Provenance = {}): Promise<Uint8Array> {
    const segment = await nativeAsync(async () =>
      this.#binding.exportSecretKey(this.#own(key, 'exportSecretKey').handle),
    )
    const { logN, id } = this.parameters
    try {
      return encodeContainer(
        { kind: 'secretKey', parameters: id, keyId: key.keyId, logN, ...options },
        [segment],
        this.parameters,
      )
    } finally {
      segment.fill(0)
    }
  }

  async importSecretKey(bytes: Uint8Array): Promise<SecretKey> {
    const { header, segments } = parseContainer(bytes, { kind: 'secretKey', parameters: this.parameters })
    const handle = await nativeAsync(() => this.#binding.importSecretKey(segments[0]!))
    return new NativeSecretKey(this.parameters, this.#binding, handle, header.keyId ?? createKeyId())
  }

  async generatePublicKey(key: SecretKey, options: Provenance = {}): Promise<Uint8Array> {
    const secret = this.#own(key, 'generatePublicKey')
    const segment = await nativeAsync(() => this.#binding.generatePublicKey(secret.handle))
    const { id, maxLevel } = this.parameters
    return encodeContainer(
      {
        kind: 'publicKey',
        parameters: id,
        keyId: key.keyId,
        level: maxLevel,
        seeded: true,
        limbs: this.parameters.limbsAt(maxLevel),
        ...options,
      },
      [segment],
      this.parameters,
    )
  }

  async *generateEvaluationKeys(
    key: SecretKey,
    request: KeyRequest,
    options: KeyGenerationOptions = {},
  ): AsyncGenerator<KeyFile> {
    const needs = listKeyNeeds(request)
    for (const need of needs) assertKeySecure(this.parameters, need.level, describeKey(need))
    if (request.encapsulation !== undefined) assertEphemeralSecure(this.parameters)
    const { onProgress, signal, ...provenance } = options
    // all of them first: a request that makes no sense makes no key at all
    const headers = needs.map((need) => keyHeader(this.parameters, need, { keyId: key.keyId, ...provenance }))
    for (const [i, header] of headers.entries()) {
      throwIfAborted(signal, `key generation: cancelled after ${i} of ${needs.length} keys`)
      const secret = this.#own(key, 'generateEvaluationKeys')
      const file = await this.#makeKey(secret, header)
      const { kind, level } = header
      const name = keyFileName(header)
      if (kind === 'galoisKey') yield { name, kind, level, galoisElement: header.galoisElement, ...file }
      else if (kind === 'encapsulationKey' && header.raising)
        yield { name, kind, level, raising: header.raising, ...file }
      else yield { name, kind, level, ...file }
      onProgress?.(i + 1, needs.length)
    }
  }

  protected async encryptTask(key: SecretKey | Uint8Array, task: EncryptionTask): Promise<Uint8Array> {
    const { inputs, level, scale, request, plan, labels } = task
    const isPublic = key instanceof Uint8Array
    const publicKey = isPublic ? await this.#importPublicKey(key) : undefined
    const secret = isPublic ? undefined : this.#own(key, 'encrypt')
    try {
      const ciphertexts = []
      for (const { values, name } of inputs) {
        const { re, im } = values
        const segment = await nativeAsync(() =>
          secret
            ? this.#binding.encryptSymmetric(secret.handle, re, im, level, scale)
            : this.#binding.encryptPublic(publicKey!.handle, re, im, level, scale),
        )
        const object = {
          level,
          scale,
          slots: re.length,
          degree: 1 as const,
          seeded: !isPublic,
          ...(name === undefined ? {} : { name }),
        }
        ciphertexts.push({ object, segment })
      }
      const keyId = secret?.source.keyId ?? publicKey?.keyId
      return encodeCiphertexts(this.parameters, ciphertexts, {
        request,
        ...(plan === undefined ? {} : { plan }),
        ...(keyId === undefined ? {} : { keyId }),
        ...(labels === undefined ? {} : { labels }),
      })
    } finally {
      if (publicKey) this.#binding.releasePublicKey(publicKey.handle)
    }
  }

  readFacts(file: Uint8Array): FileFacts {
    const { header } = parseContainer(file, { kind: 'ciphertext', parameters: this.parameters })
    const { plan, keyId, request, objects } = header
    return { names: { plan, keyId, request }, ciphertexts: objects }
  }

  protected async decryptFile(key: SecretKey, file: Uint8Array): Promise<PrivateSlots[]> {
    const secret = this.#own(key, 'decrypt')
    const expected = { kind: 'ciphertext', parameters: this.parameters, keyId: key.keyId } as const
    const { header, segments } = parseContainer(file, expected)
    const results: PrivateSlots[] = []
    for (const [i, { name, level, degree, seeded, slots, scale }] of header.objects.entries()) {
      const ciphertext = { level, degree, seeded, slots, scale }
      const values = await nativeAsync(() => this.#binding.decrypt(secret.handle, ciphertext, segments[i]!))
      results.push({ visibility: 'private', ...(name === undefined ? {} : { name }), ...values, slots, level, scale })
    }
    return results
  }

  dispose(): Promise<void> {
    return nativeAsync(() => this.#binding.close())
  }

  /** A key's file; large segments are made where they belong in it. */
  async #makeKey(secret: OwnedKey, header: KeyHeader): Promise<Pick<KeyFile, 'bytes' | 'sha256'>> {
    const { parameters } = this
    const { level } = header
    const shapes = segmentShapes({ ...header, segments: [] } as FileHeader, parameters)
    const lengths = shapes.map((shape) => shapeBytes(shape, parameters.ringDegree))
    const start = beginContainer(header, lengths, parameters)
    const { segments, totalBytes } = start.layout
    let bytes: Uint8Array
    if (header.kind === 'encapsulationKey') {
      const elements = header.raising && Uint32Array.from(header.raising)
      const keys = await nativeAsync(() => this.#binding.generateEncapsulationKey(secret.handle, level, elements))
      bytes = new Uint8Array(totalBytes)
      for (const [i, key] of keys.entries()) bytes.set(key, segments[i]!.offset)
    } else {
      const element = header.kind === 'galoisKey' ? header.galoisElement : 0
      const before = segments[0]!.offset
      const behind = totalBytes - before - segments[0]!.bytes
      bytes = await nativeAsync(() => this.#binding.generateKey(secret.handle, element, level, before, behind))
    }
    return { bytes, sha256: finishContainer(bytes, start) }
  }

  async #importPublicKey(file: Uint8Array) {
    const { header, segments } = parseContainer(file, { kind: 'publicKey', parameters: this.parameters })
    const handle = await nativeAsync(() => this.#binding.importPublicKey(segments[0]!))
    return { handle, keyId: header.keyId }
  }

  #own(key: SecretKey, operation: string): OwnedKey {
    this.checkKey(key, operation)
    return { source: key, handle: (key as NativeSecretKey).handleFor(this.#binding, operation) }
  }
}

interface OwnedKey {
  readonly source: SecretKey
  readonly handle: ReturnType<NativeSecretKey['handleFor']>
}

/**
 * Opens a client on the compiled engine.
 *
 * @throws UnsupportedError when the engine cannot be loaded; SecurityError for insecure parameters
 * @example
 * ```ts
 * import { createParameters } from '@he-ml/ckks-core'
 * import { createNativeClient } from '@he-ml/ckks-native/client'
 * await using client = createNativeClient(createParameters({ logN: 13, levels: 3, scaleBits: 30 }))
 * using key = await client.generateSecretKey()
 * const file = await client.encrypt(key, [{ values: Float64Array.of(1, 2, 3, 4) }])
 * const [result] = await client.decrypt(key, file)
 * console.log(result!.re) // close to 1, 2, 3, 4
 * ```
 */
export function createNativeClient(parameters: AnyParameters, options: NativeClientOptions = {}): NativeClient {
  return new NativeClient(parameters, options)
}
