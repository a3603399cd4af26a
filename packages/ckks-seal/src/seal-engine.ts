/**
 * The port on node-seal. Work is synchronous WebAssembly on the caller's thread: every call blocks until it is done, `ready`
 * and `drain` resolve at once, `cancel` has nothing to cancel. Use it where no addon can be built, and in browsers. SEAL's
 * scales are set to the port's after every call, so that both agree bit for bit. Shorter slot vectors are encoded repeated.
 */
import {
  type AnyParameters,
  BaseEngine,
  type Ciphertext,
  type CiphertextExpectations,
  type CiphertextFile,
  type CiphertextMeta,
  checkedSlots,
  conjugationElement,
  type EncodeOptions,
  type EngineCapabilities,
  type EngineMemory,
  type EngineProgress,
  InvalidArgumentError,
  type KeyRequest,
  type Plaintext,
  type PlaintextMeta,
  type SlotSource,
  UnsupportedError,
} from '@he-ml/ckks-core'
import type { SealCiphertext, SealContext, SealPlaintext } from './backend/backend.ts'
import { attempt } from './backend/errors.ts'
import { createContext, loadSeal, type SealModule } from './backend/load.ts'
import { filled } from './backend/scope.ts'
import { encodeSlots } from './encode-slots.ts'
import { ExactPlaintexts } from './exact-plaintexts.ts'
import { maxRotationKeys, SealKeys } from './keys/seal-keys.ts'
import { sealGaloisElement, sealSpec } from './parameters.ts'
import { checkCiphertextBytes, type SealShape, splitBlobs } from './seal-bytes.ts'
import { SealCiphertextHandle as Cipher, SealPlaintextHandle as Plain } from './seal-handles.ts'
import { SealMemory } from './seal-memory.ts'

/** Keys and module of a new engine. */
export interface SealEngineOptions {
  /** SEAL's own serialization. */
  readonly relinearizationKey?: Uint8Array
  /** SEAL's own serialization, one or several keys each. */
  readonly galoisKeys?: Iterable<Uint8Array>
  /** An initialised node-seal module (the build that allows transparent ciphertexts). Default: the installed one. */
  readonly seal?: SealModule
}

/** See {@link createSealEngine}. */
export class SealEngine extends BaseEngine<Cipher, Plain> {
  readonly name = 'seal'
  readonly capabilities: EngineCapabilities
  /** 'node-seal 6' or 'node-seal 7'. */
  readonly version: string
  /** For this package's own modules. @internal */
  readonly keys: SealKeys
  /** @internal */
  readonly shape: SealShape
  readonly #context: SealContext
  readonly #exact: ExactPlaintexts
  readonly #memory: SealMemory
  #operations = 0
  #disposed = false

  /** @internal use {@link createSealEngine} */
  constructor(parameters: AnyParameters, module: SealModule) {
    super(parameters)
    const spec = sealSpec(parameters)
    this.#context = attempt('createSealEngine', () => createContext(module, spec))
    this.version = this.#context.version
    this.#exact = new ExactPlaintexts(this.#context, parameters.ringDegree, parameters.qLimbs)
    this.#memory = new SealMemory(parameters.ringDegree)
    this.shape = { ...spec, parmsIds: this.#context.parmsIds }
    this.keys = new SealKeys(this.#context, parameters, this.#memory, this.shape)
    this.capabilities = { maxRotationKeys: maxRotationKeys(parameters), doubleHoisting: false }
  }

  get loadedKeys(): KeyRequest {
    return this.keys.request
  }
  /** @throws FormatError for anything but relinearisation keys made under these parameters */
  loadRelinearizationKey(bytes: Uint8Array): void {
    this.keys.loadRelinearization(bytes)
  }
  /** One or several rotation or conjugation keys. @throws FormatError; MemoryError above `capabilities.maxRotationKeys` */
  loadGaloisKeys(bytes: Uint8Array): void {
    this.keys.loadGalois(bytes)
  }

  async drain(): Promise<void> {}
  cancel(): void {}
  memory(): EngineMemory {
    return this.#memory.report()
  }
  progress(): EngineProgress {
    return { queued: 0, done: this.#operations }
  }
  async dispose(): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    this.#memory.freeAll()
    this.#context.delete()
  }

  /** SEAL's own serialization, uncompressed. */
  async exportCiphertext(a: Ciphertext): Promise<Uint8Array> {
    if (!(a instanceof Cipher)) throw new UnsupportedError('exportCiphertext: not a ciphertext of the seal engine')
    a.check(this, 'exportCiphertext')
    return attempt('exportCiphertext', () => this.#context.saveCiphertext(this.#rescaled(a)))
  }

  /**
   * Reads SEAL's own serialization, uncompressed. Parameters, level, degree, scale and every residue are checked before SEAL
   * sees them; transparent ciphertexts are refused.
   *
   * @param options SEAL's format does not say with which period the slots repeat; default N/2
   * @throws FormatError
   */
  async importCiphertext(bytes: Uint8Array, options: CiphertextExpectations = {}): Promise<Ciphertext> {
    const { slots = this.parameters.maxSlots } = options
    if (!(slots >= 1 && slots <= this.parameters.maxSlots && Number.isInteger(Math.log2(slots))))
      throw new InvalidArgumentError(`slots must be a power of two up to ${this.parameters.maxSlots}, got ${slots}`)
    const { limbs, size, scale } = checkCiphertextBytes(bytes, this.shape)
    const object = attempt('importCiphertext', () => this.#context.loadCiphertext(bytes), 'load')
    return new Cipher(this, this.#memory, object, { level: limbs - 1, scale, slots, degree: size === 3 ? 2 : 1 })
  }

  /** One after the other in SEAL's own serialization, which has no room for names. */
  override async exportCiphertexts(ciphertexts: readonly Ciphertext[]): Promise<Uint8Array> {
    if (ciphertexts.length === 0) throw new InvalidArgumentError('exportCiphertexts: at least one ciphertext is needed')
    const blobs: Uint8Array[] = []
    for (const ciphertext of ciphertexts) blobs.push(await this.exportCiphertext(ciphertext))
    const file = new Uint8Array(blobs.reduce((sum, blob) => sum + blob.length, 0))
    let at = 0
    for (const blob of blobs) {
      file.set(blob, at)
      at += blob.length
    }
    return file
  }
  /** The reverse; names are unknown, and a wanted plan is nothing that could be checked. */
  override async importCiphertexts(bytes: Uint8Array, expected?: CiphertextExpectations): Promise<CiphertextFile> {
    const ciphertexts: Ciphertext[] = []
    try {
      for (const blob of splitBlobs(bytes)) ciphertexts.push(await this.importCiphertext(blob, expected))
      return { ciphertexts, names: {} }
    } catch (error) {
      for (const ciphertext of ciphertexts) ciphertext.dispose()
      throw error
    }
  }

  override encode(values: SlotSource, options: EncodeOptions): Plaintext {
    return super.encode(values, { ...options, extended: false })
  }

  protected doEncode(values: SlotSource, meta: PlaintextMeta): Plain {
    const vector = checkedSlots(values, meta.slots, 'encode')
    const object = attempt('encode', () => encodeSlots(this.#context, this.#exact, this.parameters, vector, meta))
    return new Plain(this, this.#memory, object, meta)
  }
  protected doAdd(a: Cipher, b: Cipher, meta: CiphertextMeta): Cipher {
    return this.#run('add', meta, (s) => s.add(this.#at(a, meta.scale), this.#at(b, meta.scale)))
  }
  protected doSub(a: Cipher, b: Cipher, meta: CiphertextMeta): Cipher {
    return this.#run('sub', meta, (s) => s.sub(this.#at(a, meta.scale), this.#at(b, meta.scale)))
  }
  protected doNegate(a: Cipher, meta: CiphertextMeta): Cipher {
    return this.#run('negate', meta, (s) => s.negate(a.object))
  }
  protected doAddPlain(a: Cipher, b: Plain, meta: CiphertextMeta): Cipher {
    return this.#run('addPlain', meta, (s) => this.#withPlain(b, a, (p) => s.addPlain(this.#at(a, meta.scale), p)))
  }
  protected doSubPlain(a: Cipher, b: Plain, meta: CiphertextMeta): Cipher {
    return this.#run('subPlain', meta, (s) => this.#withPlain(b, a, (p) => s.subPlain(this.#at(a, meta.scale), p)))
  }
  protected doMulPlain(a: Cipher, b: Plain, meta: CiphertextMeta): Cipher {
    return this.#run('mulPlain', meta, (s) => this.#withPlain(b, a, (p) => s.mulPlain(this.#at(a, 1), p), 1))
  }
  protected doAddScalar(a: Cipher, re: number, im: number, meta: CiphertextMeta): Cipher {
    return this.#run('addScalar', meta, (s) =>
      this.#withConstant(re, im, meta.scale, meta.level, (p) => {
        s.setScale(p, meta.scale)
        return s.addPlain(this.#at(a, meta.scale), p)
      }),
    )
  }
  protected doMulScalar(a: Cipher, re: number, im: number, scale: number, meta: CiphertextMeta): Cipher {
    return this.#run('mulScalar', meta, (s) =>
      this.#withConstant(re, im, scale, meta.level, (p) => s.mulPlain(this.#at(a, 1), p)),
    )
  }
  protected doMulByI(_a: Cipher, _meta: CiphertextMeta): Cipher {
    throw new UnsupportedError(
      "mulByI: in SEAL's slot order i is no exact constant (docs/adr/0001): use mulScalar(x, { re: 0, im: 1 }) and rescale, or the native engine",
    )
  }
  protected doMul(a: Cipher, b: Cipher, meta: CiphertextMeta): Cipher {
    return this.#run('mul', meta, (s) => s.mul(this.#at(a, 1), this.#at(b, 1)))
  }
  protected override doSquare(a: Cipher, meta: CiphertextMeta): Cipher {
    return this.#run('square', meta, (s) => s.square(this.#at(a, 1)))
  }
  protected doRelinearize(a: Cipher, meta: CiphertextMeta): Cipher {
    if (a.degree === 1) return this.#run('relinearize', meta, (s) => s.clone(a.object))
    return this.#run('relinearize', meta, (s) => s.relinearize(a.object, this.keys.relinearization!))
  }
  protected doRescale(a: Cipher, meta: CiphertextMeta): Cipher {
    return this.#run('rescale', meta, (s) => s.rescale(this.#at(a, a.scale)))
  }
  protected doDropLevel(a: Cipher, meta: CiphertextMeta): Cipher {
    return this.#run('dropLevel', meta, (s) =>
      meta.level === a.level ? s.clone(a.object) : s.dropTo(this.#at(a, 1), meta.level),
    )
  }
  protected doRotateHoisted(a: Cipher, steps: readonly number[], meta: CiphertextMeta): Cipher[] {
    const results: Cipher[] = []
    try {
      for (const step of steps)
        results.push(
          this.#run('rotate', meta, (s) =>
            step === 0 ? s.clone(a.object) : this.#automorphism(a, sealGaloisElement(step, this.parameters.logN)),
          ),
        )
      return results
    } catch (error) {
      for (const result of results) result.dispose()
      throw error
    }
  }
  protected doConjugate(a: Cipher, meta: CiphertextMeta): Cipher {
    return this.#run('conjugate', meta, () => this.#automorphism(a, conjugationElement(this.parameters.logN)))
  }
  protected doModRaise(_a: Cipher, _meta: CiphertextMeta): Cipher {
    throw new UnsupportedError('modRaise: SEAL has no bootstrapping: use the native engine')
  }

  #automorphism(a: Cipher, element: number): SealCiphertext {
    return this.#context.applyGalois(a.object, element, this.keys.galois(element)!)
  }

  /** SEAL's copy of the scale is only its own check; the handle's is what counts. */
  #at(a: Cipher, scale: number): SealCiphertext {
    this.#context.setScale(a.object, scale)
    return a.object
  }
  #rescaled(a: Cipher): SealCiphertext {
    return this.#at(a, a.scale)
  }

  /** The plaintext at the ciphertext's level and, for SEAL, its scale. */
  #withPlain(b: Plain, a: Cipher, use: (plain: SealPlaintext) => SealCiphertext, scale = a.scale): SealCiphertext {
    this.#context.setScale(b.object, scale)
    const plain = b.level === a.level ? b.object : this.#context.dropPlaintextTo(b.object, a.level)
    try {
      this.#context.setScale(plain, scale)
      return use(plain)
    } finally {
      if (plain !== b.object) plain.delete()
    }
  }

  #withConstant(
    re: number,
    im: number,
    scale: number,
    level: number,
    use: (plain: SealPlaintext) => SealCiphertext,
  ): SealCiphertext {
    const plain = this.#exact.constant(rounded(re * scale), rounded(im * scale * Math.SQRT1_2), level)
    try {
      return use(plain)
    } finally {
      plain.delete()
    }
  }

  #run(operation: string, meta: CiphertextMeta, compute: (seal: SealContext) => SealCiphertext): Cipher {
    if (this.#disposed) throw new UnsupportedError(`${operation}: the engine was disposed of`)
    const object = attempt(operation, () => {
      const result = compute(this.#context)
      return filled<SealCiphertext, SealCiphertext>(result, () => this.#context.setScale(result, meta.scale))
    })
    this.#operations++
    return new Cipher(this, this.#memory, object, meta)
  }
}

function rounded(value: number): bigint {
  if (!Number.isFinite(value)) throw new InvalidArgumentError(`a constant times its scale is ${value}`)
  return BigInt(Math.round(value))
}

/**
 * An engine on node-seal 6 or 7. Parameters need one prime per level, one special prime and digitLimbs 1.
 *
 * @throws UnsupportedError for other parameters (use {@link sealParameters}), or when node-seal cannot be loaded
 * @throws FormatError for keys of other parameters
 */
export async function createSealEngine(
  parameters: AnyParameters,
  options: SealEngineOptions = {},
): Promise<SealEngine> {
  sealSpec(parameters)
  const engine = new SealEngine(parameters, options.seal ?? (await loadSeal()))
  try {
    if (options.relinearizationKey) engine.loadRelinearizationKey(options.relinearizationKey)
    for (const keys of options.galoisKeys ?? []) engine.loadGaloisKeys(keys)
    return engine
  } catch (error) {
    await engine.dispose()
    throw error
  }
}
