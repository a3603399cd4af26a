/**
 * Floats in slots: the reference every circuit is tested against. All checks of the port apply (levels, scales, keys,
 * disposal), none of the cryptography does. Without noise the arithmetic is plain float64; with noise each operation adds
 * a normal error of the size the noise model gives for it, so that a predicted precision can be checked in milliseconds.
 * Because real ciphertexts wrap around silently when a value outgrows its modulus, this engine refuses that loudly.
 */
import { FormatError, InvalidArgumentError, ScaleError } from '../../errors/errors.ts'
import { EPHEMERAL_WEIGHT } from '../../parameters/ephemeral.ts'
import type { AnyParameters } from '../../parameters/parameters.ts'
import { BaseEngine } from '../../port/base-engine.ts'
import type { CiphertextMeta, PlaintextMeta } from '../../port/base-handle.ts'
import type {
  CiphertextExpectations,
  CiphertextFile,
  CiphertextNames,
  EngineCapabilities,
  EngineMemory,
  EngineProgress,
  WeightMatrix,
} from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import type { KeyStore } from '../../port/key-store.ts'
import type { KeyNeed, KeyRequest } from '../../port/keys.ts'
import { metaOf } from '../../port/operand-checks.ts'
import {
  type ComplexVector,
  checkedSlots,
  isLazy,
  rootMeanSquare,
  type SlotSource,
  slotCount,
} from '../../port/slot-values.ts'
import { ByteLedger } from '../byte-ledger.ts'
import { GaussianSource } from '../noise/gaussian.ts'
import { NoiseModel } from '../noise/noise-model.ts'
import { decodeWeightless, encodeWeightless, single } from '../weightless-file.ts'
import { ClearCiphertext, ClearPlaintext } from './clear-handles.ts'
import * as vectors from './complex-vectors.ts'
import { coefficientsOf, largestCoefficient, slotsOf } from './embedding.ts'

/** Options of {@link createClearEngine}. */
export interface ClearEngineOptions {
  /** Add CKKS-sized errors; `true` means seed 1. Default: none. */
  readonly noise?:
    | boolean
    | {
        /** Of the errors, any integer: the same seed, the same errors. */
        readonly seed: number
      }
  /** Keys that count as loaded; of a store, those that are resident. Default: all. */
  readonly keys?: KeyRequest | KeyStore | 'all'
}

/** See {@link createClearEngine}. */
export class ClearEngine extends BaseEngine<ClearCiphertext, ClearPlaintext> {
  readonly name = 'clear'
  readonly capabilities: EngineCapabilities = { maxRotationKeys: Number.POSITIVE_INFINITY, doubleHoisting: false }
  readonly #ledger = new ByteLedger()
  readonly #keys: KeyRequest | KeyStore | 'all'
  readonly #noise: { readonly model: NoiseModel; readonly source: GaussianSource } | undefined
  readonly #raise = new GaussianSource(2)
  #operations = 0

  constructor(parameters: AnyParameters, options: ClearEngineOptions = {}) {
    super(parameters)
    this.#keys = options.keys ?? 'all'
    const { noise = false } = options
    if (noise !== false)
      this.#noise = {
        model: new NoiseModel(parameters),
        source: new GaussianSource(noise === true ? 1 : noise.seed),
      }
  }

  get loadedKeys(): KeyRequest {
    if (this.#keys !== 'all') return isStore(this.#keys) ? this.#keys.resident : this.#keys
    const level = this.parameters.maxLevel
    const rotations = Array.from({ length: this.parameters.maxSlots - 1 }, (_, i) => ({ steps: i + 1, level }))
    const raising = rotations.map(({ steps }) => steps)
    return { relinearization: level, rotations, conjugation: level, encapsulation: level, raising }
  }

  override hasKey(need: KeyNeed): boolean {
    if (this.#keys !== 'all' && isStore(this.#keys)) return this.#keys.isResident(need)
    return this.#keys === 'all' || super.hasKey(need)
  }

  /**
   * Puts data in, as encryption would: at the top level and the nominal scale unless told otherwise.
   *
   * @throws InvalidArgumentError for NaN, infinities or a length that is no power of two; LevelError; ScaleError
   */
  encryptClear(values: SlotSource, options: { level?: number; scale?: number } = {}): Ciphertext {
    const level = options.level ?? this.parameters.maxLevel
    const scale = options.scale ?? this.parameters.scaleAt(level)
    if (!(Number.isFinite(scale) && scale >= 1))
      throw new ScaleError(`encryptClear: a scale must be finite and at least 1, got ${scale}`)
    const slots = slotCount(values, this.parameters.maxSlots)
    const meta: CiphertextMeta = { level, scale, slots, degree: 1 }
    const vector = checkedSlots(values, slots, 'encryptClear')
    this.#guard(vector, meta, 'encryptClear')
    return this.#ciphertext(meta, vector, this.#noise?.model.fresh())
  }

  /** Takes data out, as decryption would: one period, both halves, as copies. */
  readClear(ciphertext: Ciphertext): {
    /** Real parts of one period. */
    re: Float64Array
    /** Imaginary parts of one period. */
    im: Float64Array
  } {
    if (!(ciphertext instanceof ClearCiphertext))
      throw new InvalidArgumentError('readClear: not a ciphertext of the clear engine')
    ciphertext.check(this, 'readClear')
    this.#guard(ciphertext.vector, ciphertext, 'readClear')
    const { re, im } = ciphertext.vector
    return { re: re.slice(), im: im?.slice() ?? new Float64Array(re.length) }
  }

  async drain(): Promise<void> {}
  cancel(): void {}
  async dispose(): Promise<void> {}
  memory(): EngineMemory {
    return this.#ledger.memory()
  }
  progress(): EngineProgress {
    return { queued: this.#operations, done: this.#operations }
  }
  /** A file of this engine: shape and slots, in the clear. */
  exportCiphertext(a: Ciphertext): Promise<Uint8Array> {
    return this.exportCiphertexts([a])
  }
  async importCiphertext(bytes: Uint8Array): Promise<Ciphertext> {
    return single(await this.importCiphertexts(bytes))
  }
  override async exportCiphertexts(ciphertexts: readonly Ciphertext[], names?: CiphertextNames): Promise<Uint8Array> {
    if (ciphertexts.length === 0) throw new InvalidArgumentError('exportCiphertexts: at least one ciphertext is needed')
    const items = ciphertexts.map((a) => {
      if (!(a instanceof ClearCiphertext))
        throw new InvalidArgumentError('exportCiphertext: not a ciphertext of the clear engine')
      a.check(this, 'exportCiphertext')
      const { re, im } = a.vector
      const numbers = new Float64Array(re.length * (im ? 2 : 1))
      numbers.set(re)
      if (im) numbers.set(im, re.length)
      return { meta: metaOf(a), numbers }
    })
    return encodeWeightless(this.name, this.parameters, items, names)
  }
  override async importCiphertexts(bytes: Uint8Array, expected?: CiphertextExpectations): Promise<CiphertextFile> {
    const { items, names } = decodeWeightless(this.name, this.parameters, bytes, expected)
    const made = items.map(({ meta, numbers }, i) => {
      const { slots } = meta
      const length = slotCount({ slots, values: () => numbers }, this.parameters.maxSlots)
      this.parameters.limbsAt(meta.level)
      if (numbers.length !== length && numbers.length !== 2 * length)
        throw new FormatError(`ciphertext ${i}: ${numbers.length} numbers are neither ${length} real nor complex slots`)
      const re = numbers.slice(0, length)
      return { meta, vector: numbers.length === length ? { re } : { re, im: numbers.slice(length) } }
    })
    return { ciphertexts: made.map(({ meta, vector }) => this.#ciphertext(meta, vector)), names }
  }

  protected doEncode(values: SlotSource, meta: PlaintextMeta): ClearPlaintext {
    const checked = checkedSlots(values, meta.slots, 'encode')
    const vector = isLazy(values) ? copyOf(checked) : checked
    this.#guard(vector, meta, 'encode')
    const error = this.#noise && this.#noise.model.encoding(meta.slots) / meta.scale
    return new ClearPlaintext(this, this.#ledger, meta, this.#disturbed(vector, error))
  }
  protected doAdd(a: ClearCiphertext, b: ClearCiphertext, meta: CiphertextMeta): ClearCiphertext {
    return this.#ciphertext(meta, vectors.combine(a.vector, b.vector, meta.slots, 1))
  }
  protected doSub(a: ClearCiphertext, b: ClearCiphertext, meta: CiphertextMeta): ClearCiphertext {
    return this.#ciphertext(meta, vectors.combine(a.vector, b.vector, meta.slots, -1))
  }
  protected doNegate(a: ClearCiphertext, meta: CiphertextMeta): ClearCiphertext {
    return this.#ciphertext(meta, vectors.multiplyConstant(a.vector, -1, 0))
  }
  protected doAddPlain(a: ClearCiphertext, b: ClearPlaintext, meta: CiphertextMeta): ClearCiphertext {
    return this.#ciphertext(meta, vectors.combine(a.vector, b.vector, meta.slots, 1))
  }
  protected doSubPlain(a: ClearCiphertext, b: ClearPlaintext, meta: CiphertextMeta): ClearCiphertext {
    return this.#ciphertext(meta, vectors.combine(a.vector, b.vector, meta.slots, -1))
  }
  protected doMulPlain(a: ClearCiphertext, b: ClearPlaintext, meta: CiphertextMeta): ClearCiphertext {
    return this.#ciphertext(meta, vectors.multiply(a.vector, b.vector, meta.slots))
  }
  override declarePeriodic(a: Ciphertext): void {
    if (a instanceof ClearCiphertext) a.periodic = true
  }

  protected doAddScalar(a: ClearCiphertext, re: number, im: number, meta: CiphertextMeta): ClearCiphertext {
    const { scale } = meta
    return this.#ciphertext(meta, vectors.addConstant(a.vector, this.#rounded(re, scale), this.#rounded(im, scale)))
  }
  protected doMulScalar(
    a: ClearCiphertext,
    re: number,
    im: number,
    scale: number,
    meta: CiphertextMeta,
  ): ClearCiphertext {
    const product = vectors.multiplyConstant(a.vector, this.#rounded(re, scale), this.#rounded(im, scale))
    return this.#ciphertext(meta, product)
  }
  protected doMulByI(a: ClearCiphertext, meta: CiphertextMeta): ClearCiphertext {
    return this.#ciphertext(meta, vectors.multiplyConstant(a.vector, 0, 1))
  }
  protected doMul(a: ClearCiphertext, b: ClearCiphertext, meta: CiphertextMeta): ClearCiphertext {
    return this.#ciphertext(meta, vectors.multiply(a.vector, b.vector, meta.slots))
  }
  protected doRelinearize(a: ClearCiphertext, meta: CiphertextMeta): ClearCiphertext {
    return this.#ciphertext(meta, a.vector, a.degree === 2 ? this.#noise?.model.keySwitch(meta.level) : undefined)
  }
  protected doRescale(a: ClearCiphertext, meta: CiphertextMeta): ClearCiphertext {
    if (!a.periodic) this.#guard(a.vector, a, 'rescale')
    return this.#ciphertext(meta, a.vector, this.#noise?.model.rescale(meta.degree))
  }
  protected doDropLevel(a: ClearCiphertext, meta: CiphertextMeta): ClearCiphertext {
    if (meta.level < a.level) this.#guard(a.vector, meta, 'dropLevel')
    return this.#ciphertext(meta, a.vector)
  }
  protected doRotateHoisted(a: ClearCiphertext, steps: readonly number[], meta: CiphertextMeta): ClearCiphertext[] {
    return steps.map((step) => {
      if (step === 0) return this.#ciphertext(meta, vectors.expand(a.vector, meta.slots))
      const turned = vectors.rotateLeft(a.vector, step, meta.slots)
      return this.#ciphertext(meta, turned, this.#noise?.model.keySwitch(meta.level))
    })
  }
  protected doConjugate(a: ClearCiphertext, meta: CiphertextMeta): ClearCiphertext {
    return this.#ciphertext(meta, vectors.conjugated(a.vector), this.#noise?.model.keySwitch(meta.level))
  }
  /**
   * Adds q0 I, with an I as the sparse secret gives it: what c0 + c1 s comes to, in multiples of q0, is a sum of 1 + weight
   * uniform numbers (only its fraction is the message). Seeded, so that a run can be repeated.
   */
  protected doModRaise(a: ClearCiphertext, meta: CiphertextMeta): ClearCiphertext {
    const { re, im } = vectors.expand(a.vector, meta.slots)
    const multiple = this.parameters.groupProduct(0) / meta.scale
    const message = coefficientsOf(im ? { re, im } : { re })
    const added = message.map((m) => {
      let sum = m / multiple
      for (let i = 0; i < EPHEMERAL_WEIGHT; i++) sum += this.#raise.uniform() - 0.5
      return multiple * Math.round(sum - m / multiple)
    })
    const model = this.#noise?.model
    const noise = model && Math.hypot(model.encapsulation(), model.keySwitch(meta.level))
    return this.#ciphertext(meta, vectors.combine(a.vector, slotsOf(added), meta.slots, 1), noise)
  }
  /** Short switches from the ephemeral secret err by more than the ordinary one of modRaise. */
  protected override doShortModRaise(a: ClearCiphertext, meta: CiphertextMeta): ClearCiphertext {
    const raised = this.doModRaise(a, meta)
    const switched = this.#ciphertext(meta, raised.vector, this.#noise?.model.raisingSwitch())
    raised.dispose()
    return switched
  }
  protected override doMatrixProduct(
    inputs: readonly ClearCiphertext[],
    weights: WeightMatrix,
    scale: number,
    meta: CiphertextMeta,
  ): ClearCiphertext[] {
    const full = inputs.map((x) => vectors.expand(x.vector, meta.slots))
    const complex = full.some((x) => x.im)
    return Array.from({ length: weights.rows }, (_, row) => {
      const re = new Float64Array(meta.slots)
      const im = complex ? new Float64Array(meta.slots) : undefined
      for (const [column, x] of full.entries()) {
        const weight = this.#rounded(weights.data[row * weights.columns + column]!, scale)
        if (weight === 0) continue
        vectors.accumulate(re, x.re, weight)
        if (im && x.im) vectors.accumulate(im, x.im, weight)
      }
      return this.#ciphertext(meta, im ? { re, im } : { re })
    })
  }

  /** A result, with an error of root mean square `noise / scale` per slot when noise is on. */
  #ciphertext(meta: CiphertextMeta, vector: ComplexVector, noise?: number): ClearCiphertext {
    this.#operations++
    const full = vectors.expand(vector, meta.slots)
    const disturbed = noise === undefined ? full : this.#disturbed(full, noise / meta.scale)
    return new ClearCiphertext(this, this.#ledger, meta, disturbed)
  }

  #disturbed(vector: ComplexVector, error: number | undefined): ComplexVector {
    if (!this.#noise || error === undefined) return vector
    const { source } = this.#noise
    const part = error * Math.SQRT1_2
    const re = vector.re.map((x) => x + part * source.next())
    const im = vector.im ? vector.im.map((x) => x + part * source.next()) : vector.re.map(() => part * source.next())
    return { re, im }
  }

  #rounded(value: number, scale: number): number {
    return this.#noise ? Math.round(value * scale) / scale : value
  }

  /** Refuses what would wrap around: a coefficient of half the modulus or more. */
  #guard(vector: ComplexVector, at: { level: number; scale: number }, operation: string): void {
    const room = this.parameters.logQAt(at.level) - Math.log2(at.scale) - 1
    // the root mean square bounds every coefficient; only where that is not enough are they computed
    if (Math.log2(rootMeanSquare(vector)) < room) return
    const size = largestCoefficient(vector)
    if (Math.log2(size) < room) return
    throw new ScaleError(
      `${operation}: values outgrow their modulus at level ${at.level}: the largest coefficient is ${size.toExponential(2)} at scale 2^${Math.log2(at.scale).toFixed(1)}, but only ${(2 ** room).toExponential(2)} fits into ${this.parameters.logQAt(at.level).toFixed(1)} bits: normalise the values, or raise baseBits`,
    )
  }
}

const isStore = (keys: KeyRequest | KeyStore): keys is KeyStore => 'acquire' in keys

/**
 * The reference engine: complex float64 slots, the same checks as every engine, optional CKKS-sized noise.
 *
 * @throws whatever a real engine's port would throw, at the same calls
 * @example
 * ```ts
 * import { createClearEngine, createParameters } from '@he-ml/ckks-core'
 * const engine = createClearEngine(createParameters({ logN: 13, levels: 3, scaleBits: 30, dnum: 4 }))
 * const x = engine.encryptClear(Float64Array.of(1, 2, 3, 4))
 * const y = engine.rescale(engine.relinearize(engine.square(x)))
 * console.log(engine.readClear(y).re, y.level)
 * ```
 */
export function createClearEngine(parameters: AnyParameters, options: ClearEngineOptions = {}): ClearEngine {
  return new ClearEngine(parameters, options)
}

const copyOf = ({ re, im }: ComplexVector): ComplexVector =>
  im ? { re: re.slice(), im: im.slice() } : { re: re.slice() }
