/**
 * The port on the compiled engine. A call checks its operands (BaseEngine), queues the work and returns; C++ threads of our
 * own run it in dependency order. Plaintexts are encoded on those threads too.
 */
import {
  type AnyParameters,
  BaseEngine,
  type Ciphertext,
  type CiphertextMeta,
  checkedSlots,
  conjugationElement,
  type EngineCapabilities,
  type EngineMemory,
  type EngineProgress,
  GALOIS_GENERATOR,
  galoisElement,
  InvalidArgumentError,
  type KeyRequest,
  ParameterMismatchError,
  type PlaintextMeta,
  type PreparedLinearTransform,
  type SlotSource,
  type WeightMatrix,
} from '@he-ml/ckks-core'
import type { BindingEngine, CiphertextHandle } from './binding.ts'
import { exportCiphertext, importCiphertext } from './ciphertext-files.ts'
import { native, nativeAsync } from './errors.ts'
import { NativeCiphertext, NativePlaintext } from './handles.ts'
import { kernels } from './kernels.ts'
import { loadNative } from './loader.ts'
import { bindingSpec } from './spec.ts'

export interface NativeEngineOptions {
  /** Worker threads; default: the machine's cores. */
  readonly threads?: number
  /** Bytes above which no further operation starts while another runs; default none. */
  readonly memoryCeiling?: number
}

export class NativeEngine extends BaseEngine<NativeCiphertext, NativePlaintext> {
  readonly name = 'native'
  readonly capabilities: EngineCapabilities = { maxRotationKeys: Number.POSITIVE_INFINITY, doubleHoisting: true }
  /** Kernel in use: 'avx512ifma', 'avx2' or 'scalar'. */
  readonly kernel: string
  /** Worker threads. */
  readonly threads: number
  /** For this package's own modules. @internal */
  readonly binding: BindingEngine
  #keys: KeyRequest = { rotations: [] }
  #keyId: string | undefined
  #steps: ReadonlyMap<number, number> | undefined
  #closed = false

  constructor(parameters: AnyParameters, options: NativeEngineOptions = {}) {
    super(parameters)
    const { threads = 0, memoryCeiling = 0 } = options
    if (!(Number.isInteger(threads) && threads >= 0 && threads <= MAX_THREADS))
      throw new InvalidArgumentError(
        `threads: expected an integer from 1 to ${MAX_THREADS}, or 0 for all, got ${threads}`,
      )
    if (!(Number.isSafeInteger(memoryCeiling) && memoryCeiling >= 0))
      throw new InvalidArgumentError(`memoryCeiling: expected a number of bytes, or 0 for none, got ${memoryCeiling}`)
    const binding = loadNative()
    this.kernel = kernels().active
    this.binding = native(() => new binding.Engine(bindingSpec(parameters), { threads, ceilingBytes: memoryCeiling }))
    this.threads = this.binding.threads
  }

  get loadedKeys(): KeyRequest {
    return this.#keys
  }

  /** Name of the secret key behind the loaded keys; undefined before the first, or when its file names none. */
  get keyId(): string | undefined {
    return this.#keyId
  }

  /** Forgets all evaluation keys, so that those of another secret key may be loaded. Queued operations keep theirs. */
  unloadKeys(): void {
    native(() => this.binding.unloadKeys())
    this.#keyId = undefined
    this.refreshKeys()
  }

  /** Whether the port can use a key for this element: conjugation, or a rotation. @internal */
  isUsable(element: number): boolean {
    this.#steps ??= stepsByElement(this.parameters)
    return element === conjugationElement(this.parameters.logN) || (this.#steps.get(element) ?? 0) > 0
  }

  /**
   * Checks that something belongs to the same secret key as the keys loaded before. @internal
   * @throws ParameterMismatchError naming both
   */
  checkKeyId(keyId: string | undefined, what: string): void {
    if (keyId !== undefined && this.#keyId !== undefined && keyId !== this.#keyId)
      throw new ParameterMismatchError(
        `${what} belongs to secret key ${keyId}, the loaded evaluation keys to ${this.#keyId}: use the keys made with it, or unloadKeys() first`,
      )
  }

  /** Remembers whose keys are loaded. @internal */
  adoptKeyId(keyId: string | undefined): void {
    this.#keyId ??= keyId
  }

  /** Reads the key list back from the engine after keys were loaded or dropped. @internal */
  refreshKeys(): void {
    this.#steps ??= stepsByElement(this.parameters)
    const steps = this.#steps
    const levels = this.#closed ? [] : this.binding.keyLevels()
    const encapsulation = this.#closed ? undefined : this.binding.encapsulationLevel()
    if (levels.length === 0 && encapsulation === undefined) this.#keyId = undefined
    const rotations: { steps: number; level: number }[] = []
    let relinearization: number | undefined
    let conjugation: number | undefined
    for (const { element, level } of levels) {
      if (element === 0) relinearization = level
      else if (element === conjugationElement(this.parameters.logN)) conjugation = level
      else rotations.push({ steps: steps.get(element)!, level })
    }
    rotations.sort((a, b) => a.steps - b.steps)
    this.#keys = {
      ...(relinearization === undefined ? {} : { relinearization }),
      rotations,
      ...(conjugation === undefined ? {} : { conjugation }),
      ...(encapsulation === undefined ? {} : { encapsulation }),
    }
  }

  async drain(): Promise<void> {
    await nativeAsync(() => this.binding.drain())
  }
  /** Harmless after `dispose()`, which cancels too. */
  cancel(): void {
    if (!this.#closed) native(() => this.binding.cancel())
  }
  memory(): EngineMemory {
    return native(() => this.binding.memory())
  }
  progress(): EngineProgress {
    const { queued, running, done, failed } = native(() => this.binding.counters())
    return { queued: queued + running, done: done + failed }
  }
  /** Gives free memory back to the system. */
  trim(): void {
    native(() => this.binding.trim())
  }
  /** Cancels what has not started, waits for what has, and gives keys and threads back. Twice is harmless. */
  async dispose(): Promise<void> {
    this.#closed = true
    this.#keys = { rotations: [] }
    await nativeAsync(() => this.binding.close())
  }

  exportCiphertext(a: Ciphertext): Promise<Uint8Array> {
    return exportCiphertext(this, a)
  }
  importCiphertext(bytes: Uint8Array): Promise<Ciphertext> {
    return importCiphertext(this, bytes)
  }

  /** Wraps a result of the compiled engine. @internal */
  wrap(handle: CiphertextHandle, meta: CiphertextMeta): NativeCiphertext {
    return new NativeCiphertext(this, this.binding, handle, meta)
  }

  protected doEncode(values: SlotSource, meta: PlaintextMeta): NativePlaintext {
    const { re, im } = checkedSlots(values, meta.slots, 'encode')
    const handle = native(() => this.binding.encode(re, im, meta.level, meta.scale, meta.extended))
    return new NativePlaintext(this, this.binding, handle, meta)
  }
  protected doAdd(a: NativeCiphertext, b: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, () => this.binding.add(a.handle, b.handle))
  }
  protected doSub(a: NativeCiphertext, b: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, () => this.binding.sub(a.handle, b.handle))
  }
  protected override doSum(terms: readonly NativeCiphertext[], meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, () => this.binding.sum(terms.map((t) => t.handle)))
  }
  protected doNegate(a: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, () => this.binding.negate(a.handle))
  }
  protected doAddPlain(a: NativeCiphertext, b: NativePlaintext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, () => this.binding.addPlain(a.handle, b.handle))
  }
  protected doSubPlain(a: NativeCiphertext, b: NativePlaintext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, () => this.binding.subPlain(a.handle, b.handle))
  }
  protected doMulPlain(a: NativeCiphertext, b: NativePlaintext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, () => this.binding.mulPlain(a.handle, b.handle))
  }
  protected doAddScalar(a: NativeCiphertext, re: number, im: number, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, () => this.binding.addScalar(a.handle, re * a.scale, im * a.scale))
  }
  protected doMulScalar(
    a: NativeCiphertext,
    re: number,
    im: number,
    scale: number,
    meta: CiphertextMeta,
  ): NativeCiphertext {
    return this.#run(meta, () => this.binding.mulScalar(a.handle, re * scale, im * scale))
  }
  protected doMulByI(a: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, () => this.binding.mulByI(a.handle))
  }
  protected doMul(a: NativeCiphertext, b: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, () => this.binding.mul(a.handle, b.handle))
  }
  protected override doSquare(a: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, () => this.binding.square(a.handle))
  }
  protected override doMulAccumulate(
    pairs: readonly (readonly [NativeCiphertext, NativeCiphertext])[],
    meta: CiphertextMeta,
  ): NativeCiphertext {
    return this.#run(meta, () =>
      this.binding.mulAccumulate(
        pairs.map(([a]) => a.handle),
        pairs.map(([, b]) => b.handle),
      ),
    )
  }
  protected doRelinearize(a: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, () => this.binding.relinearize(a.handle))
  }
  protected doRescale(a: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, () => this.binding.rescale(a.handle))
  }
  protected doDropLevel(a: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, () => this.binding.dropLevel(a.handle, meta.level))
  }
  protected doRotateHoisted(a: NativeCiphertext, steps: readonly number[], meta: CiphertextMeta): NativeCiphertext[] {
    const elements = Uint32Array.from(steps, (s) => this.#element(s))
    return native(() => this.binding.rotateHoisted(a.handle, elements)).map((handle) => this.wrap(handle, meta))
  }
  protected doConjugate(a: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    const elements = Uint32Array.of(conjugationElement(this.parameters.logN))
    return this.#run(meta, () => this.binding.rotateHoisted(a.handle, elements)[0]!)
  }
  protected doModRaise(a: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, () => this.binding.modRaise(a.handle, meta.level))
  }
  protected override doLinearTransform(
    a: NativeCiphertext,
    transform: PreparedLinearTransform,
    meta: CiphertextMeta,
  ): NativeCiphertext {
    const giants = Uint32Array.from(transform.giants, (g) => this.#element(g.step))
    const terms = transform.giants.flatMap((g, index) => g.terms.map((term) => ({ index, term })))
    return this.#run(meta, () =>
      this.binding.linearTransform(
        a.handle,
        giants,
        Uint32Array.from(terms, (t) => t.index),
        Uint32Array.from(terms, (t) => this.#element(t.term.step)),
        terms.map((t) => (t.term.plaintext as NativePlaintext).handle),
      ),
    )
  }
  protected override doMatrixProduct(
    inputs: readonly NativeCiphertext[],
    weights: WeightMatrix,
    scale: number,
    meta: CiphertextMeta,
  ): NativeCiphertext[] {
    const rounded = weights.data.map((w) => Math.round(w * scale))
    // two primes a level: such weights outgrow 64 bits, and the small calls take any
    if (rounded.some((w) => Math.abs(w) >= MAX_WEIGHT)) return super.doMatrixProduct(inputs, weights, scale, meta)
    return native(() =>
      this.binding.matrixProduct(
        inputs.map((x) => x.handle),
        weights.rows,
        rounded,
      ),
    ).map((handle) => this.wrap(handle, meta))
  }

  #run(meta: CiphertextMeta, call: () => CiphertextHandle): NativeCiphertext {
    return this.wrap(native(call), meta)
  }
  #element(steps: number): number {
    return steps === 0 ? 1 : galoisElement(steps, this.parameters.logN)
  }
}

const MAX_THREADS = 1024

/** The largest weight the compiled matrix product takes, after scaling. */
const MAX_WEIGHT = 2 ** 62

function stepsByElement({ ringDegree, maxSlots }: AnyParameters): ReadonlyMap<number, number> {
  const table = new Map<number, number>()
  let power = 1
  for (let steps = 0; steps < maxSlots; steps++) {
    table.set(power, steps)
    power = (power * GALOIS_GENERATOR) % (2 * ringDegree)
  }
  return table
}

/**
 * Opens the compiled engine.
 *
 * @throws UnsupportedError when it cannot be loaded; the message lists what was tried
 */
export function createNativeEngine(parameters: AnyParameters, options: NativeEngineOptions = {}): NativeEngine {
  return new NativeEngine(parameters, options)
}
