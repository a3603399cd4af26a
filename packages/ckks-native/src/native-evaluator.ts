/**
 * The port's operations on the compiled engine, for the engine itself and for its lanes: a call queues the work on its own lane and
 * returns; C++ threads run it in dependency order. Plaintexts are encoded on those threads too.
 */
import {
  type AnyParameters,
  BaseEngine,
  type Ciphertext,
  type CiphertextExpectations,
  type CiphertextFile,
  type CiphertextMeta,
  type CiphertextNames,
  checkedSlots,
  conjugationElement,
  type EngineCapabilities,
  type EngineMemory,
  type EngineProgress,
  galoisElement,
  type KeyNeed,
  type KeyRequest,
  type PlaintextMeta,
  type PreparedLinearTransform,
  type RaiseMetas,
  type ScaledProducts,
  type ScaledTerm,
  type SlotSource,
  type WeightMatrix,
} from '@he-ml/ckks-core'
import type { BindingLane, CiphertextHandle } from './binding.ts'
import { exportCiphertexts, importCiphertext, importCiphertexts } from './ciphertext-files.ts'
import { native, nativeAsync } from './errors.ts'
import { NativeCiphertext, NativePlaintext } from './handles.ts'
import type { Origin } from './origin.ts'

/** The largest weight the compiled matrix product takes, after scaling. */
const MAX_WEIGHT = 2 ** 62

/** See above. */
export abstract class NativeEvaluator extends BaseEngine<NativeCiphertext, NativePlaintext> {
  /** Tells engines apart. */
  readonly name = 'native'
  /** Any number of keys, and sums of rotations that share modDown. */
  readonly capabilities: EngineCapabilities = { maxRotationKeys: Number.POSITIVE_INFINITY, doubleHoisting: true }

  constructor(parameters: AnyParameters, owner?: object) {
    super(parameters, owner)
  }

  /** For this package's own modules. @internal */
  abstract readonly origin: Origin
  /** Where this object's work is queued. @internal */
  abstract readonly lane: BindingLane

  /** The keys loaded, as needs they can serve. */
  get loadedKeys(): KeyRequest {
    return this.origin.keys.request
  }
  /** Whether a key that serves this need is loaded. */
  override hasKey(need: KeyNeed): boolean {
    return this.origin.keys.has(need)
  }
  /** Name of the secret key behind the loaded keys; undefined before the first, or when its file names none. */
  get keyId(): string | undefined {
    return this.origin.keys.keyId
  }

  /** Waits for everything queued so far by calls on this object. @throws the first failure of these */
  async drain(): Promise<void> {
    await nativeAsync(async () => this.lane.drain())
  }
  /** Of the engine with all its lanes. */
  memory(): EngineMemory {
    return native(() => this.lane.memory())
  }
  /** Of what calls on this object queued. */
  progress(): EngineProgress {
    const { queued, running, done, failed } = native(() => this.lane.counters())
    return { queued: queued + running, done: done + failed }
  }

  /** The ciphertext as a file of ours. */
  exportCiphertext(a: Ciphertext): Promise<Uint8Array> {
    return exportCiphertexts(this, [a])
  }
  /** The reverse; everything is validated. @throws FormatError, also for a file of several; ParameterMismatchError */
  importCiphertext(bytes: Uint8Array): Promise<Ciphertext> {
    return importCiphertext(this, bytes)
  }
  override exportCiphertexts(ciphertexts: readonly Ciphertext[], names?: CiphertextNames): Promise<Uint8Array> {
    return exportCiphertexts(this, ciphertexts, names)
  }
  /**
   * All ciphertexts of a file, or none.
   * @throws FormatError; ParameterMismatchError for other parameters, another plan or another secret key than the loaded keys'
   */
  override importCiphertexts(bytes: Uint8Array, expected?: CiphertextExpectations): Promise<CiphertextFile> {
    return importCiphertexts(this, bytes, expected)
  }

  /** Wraps a result of the compiled engine. @internal */
  wrap(handle: CiphertextHandle, meta: CiphertextMeta): NativeCiphertext {
    const { owner, binding } = this.origin
    return new NativeCiphertext(owner, binding, handle, meta)
  }

  /** Calls the compiled engine; a lane refuses when it has ended. @internal */
  queue<T>(call: (lane: BindingLane) => T): T {
    return native(() => call(this.lane))
  }

  protected doEncode(values: SlotSource, meta: PlaintextMeta): NativePlaintext {
    const { re, im } = checkedSlots(values, meta.slots, 'encode')
    const handle = this.queue((lane) => lane.encode(re, im, meta.level, meta.scale, meta.extended, meta.deferred))
    const { owner, binding } = this.origin
    return new NativePlaintext(owner, binding, handle, meta)
  }
  protected doAdd(a: NativeCiphertext, b: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, (lane) => lane.add(a.handle, b.handle))
  }
  protected doSub(a: NativeCiphertext, b: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, (lane) => lane.sub(a.handle, b.handle))
  }
  protected override doSum(terms: readonly NativeCiphertext[], meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, (lane) => lane.sum(terms.map((t) => t.handle)))
  }
  protected doNegate(a: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, (lane) => lane.negate(a.handle))
  }
  protected doAddPlain(a: NativeCiphertext, b: NativePlaintext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, (lane) => lane.addPlain(a.handle, b.handle))
  }
  protected doSubPlain(a: NativeCiphertext, b: NativePlaintext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, (lane) => lane.subPlain(a.handle, b.handle))
  }
  protected doMulPlain(a: NativeCiphertext, b: NativePlaintext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, (lane) => lane.mulPlain(a.handle, b.handle))
  }
  protected doAddScalar(a: NativeCiphertext, re: number, im: number, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, (lane) => lane.addScalar(a.handle, re * a.scale, im * a.scale))
  }
  protected doMulScalar(
    a: NativeCiphertext,
    re: number,
    im: number,
    scale: number,
    meta: CiphertextMeta,
  ): NativeCiphertext {
    return this.#run(meta, (lane) => lane.mulScalar(a.handle, re * scale, im * scale))
  }
  protected doMulByI(a: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, (lane) => lane.mulByI(a.handle))
  }
  protected doMul(a: NativeCiphertext, b: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, (lane) => lane.mul(a.handle, b.handle))
  }
  protected override doSquare(a: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, (lane) => lane.square(a.handle))
  }
  protected override doMulAccumulate(
    pairs: readonly (readonly [NativeCiphertext, NativeCiphertext])[],
    meta: CiphertextMeta,
  ): NativeCiphertext {
    return this.#run(meta, (lane) =>
      lane.mulAccumulate(
        pairs.map(([a]) => a.handle),
        pairs.map(([, b]) => b.handle),
      ),
    )
  }
  protected doRelinearize(a: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, (lane) => lane.relinearize(a.handle))
  }
  protected override doRelinearizeRescale(a: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, (lane) => lane.relinearizeRescale(a.handle))
  }
  protected doRescale(a: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, (lane) => lane.rescale(a.handle))
  }
  protected doDropLevel(a: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, (lane) => lane.dropLevel(a.handle, meta.level))
  }
  protected doRotateHoisted(a: NativeCiphertext, steps: readonly number[], meta: CiphertextMeta): NativeCiphertext[] {
    const elements = Uint32Array.from(steps, (s) => this.#element(s))
    return this.queue((lane) => lane.rotateHoisted(a.handle, elements)).map((handle) => this.wrap(handle, meta))
  }
  protected doConjugate(a: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    const elements = Uint32Array.of(conjugationElement(this.parameters.logN))
    return this.#run(meta, (lane) => lane.rotateHoisted(a.handle, elements)[0]!)
  }
  protected doModRaise(a: NativeCiphertext, meta: CiphertextMeta): NativeCiphertext {
    return this.#run(meta, (lane) => lane.modRaise(a.handle, meta.level))
  }
  protected override doRaiseTransforms(
    inputs: readonly NativeCiphertext[],
    transform: PreparedLinearTransform,
    metas: readonly RaiseMetas[],
  ): NativeCiphertext[] {
    const terms = transform.giants.flatMap((giant) => giant.terms)
    return this.queue((lane) =>
      lane.raiseTransforms(
        inputs.map((a) => a.handle),
        transform.level,
        Uint32Array.from(terms, (t) => this.#element(t.step)),
        terms.map((t) => (t.plaintext as NativePlaintext).handle),
      ),
    ).map((handle, i) => this.wrap(handle, metas[i]!.result))
  }
  protected override doLinearTransform(
    a: NativeCiphertext,
    transform: PreparedLinearTransform,
    meta: CiphertextMeta,
  ): NativeCiphertext {
    return this.doLinearTransforms([a], transform, [meta])[0]!
  }
  /** One task of the queue for all of them. */
  protected override doLinearTransforms(
    inputs: readonly NativeCiphertext[],
    transform: PreparedLinearTransform,
    products: readonly CiphertextMeta[],
    results?: readonly CiphertextMeta[],
  ): NativeCiphertext[] {
    const giants = Uint32Array.from(transform.giants, (g) => this.#element(g.step))
    const terms = transform.giants.flatMap((g, index) => g.terms.map((term) => ({ index, term })))
    return this.queue((lane) =>
      lane.linearTransforms(
        inputs.map((a) => a.handle),
        giants,
        Uint32Array.from(terms, (t) => t.index),
        Uint32Array.from(terms, (t) => this.#element(t.term.step)),
        terms.map((t) => (t.term.plaintext as NativePlaintext).handle),
        results !== undefined,
      ),
    ).map((handle, i) => this.wrap(handle, (results ?? products)[i]!))
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
    return this.queue((lane) =>
      lane.matrixProduct(
        inputs.map((x) => x.handle),
        weights.rows,
        rounded,
      ),
    ).map((handle) => this.wrap(handle, meta))
  }

  /** Fused in the compiled engine. */
  protected override doLinearCombination(
    terms: readonly ScaledTerm<NativeCiphertext>[],
    constant: { readonly re: number; readonly im: number },
    meta: CiphertextMeta,
  ): NativeCiphertext {
    const constants = Float64Array.from([
      ...terms.flatMap(({ re, im, scale }) => [re * scale, im * scale]),
      constant.re * meta.scale,
      constant.im * meta.scale,
    ])
    return this.#run(meta, (lane) =>
      lane.linearCombination(
        terms.map(({ ciphertext }) => ciphertext.handle),
        constants,
      ),
    )
  }

  protected override doProductCombination(
    { pairs, re, im, scale }: ScaledProducts<NativeCiphertext>,
    terms: readonly ScaledTerm<NativeCiphertext>[],
    constant: { readonly re: number; readonly im: number },
    meta: CiphertextMeta,
  ): NativeCiphertext {
    const constants = [{ re, im, scale }, ...terms, { ...constant, scale: meta.scale }]
    return this.#run(meta, (lane) =>
      lane.productCombination(
        pairs.map(([a]) => a.handle),
        pairs.map(([, b]) => b.handle),
        terms.map(({ ciphertext }) => ciphertext.handle),
        Float64Array.from(constants.flatMap((c) => [c.re * c.scale, c.im * c.scale])),
      ),
    )
  }

  #run(meta: CiphertextMeta, call: (lane: BindingLane) => CiphertextHandle): NativeCiphertext {
    return this.wrap(this.queue(call), meta)
  }
  #element(steps: number): number {
    return steps === 0 ? 1 : galoisElement(steps, this.parameters.logN)
  }
}
