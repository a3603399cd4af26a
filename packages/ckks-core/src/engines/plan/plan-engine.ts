/**
 * The weightless engine: a circuit runs on it in microseconds and leaves behind what it would cost. It counts operations by
 * kind and level, records the keys they need, follows live and peak bytes, and carries an error estimate on every handle
 * (docs/notes/noise-model.md). It never asks a lazy source for its values, and nothing is encrypted or computed.
 */
import { FormatError, InvalidArgumentError, ScaleError } from '../../errors/errors.ts'
import type { AnyParameters } from '../../parameters/parameters.ts'
import { BaseEngine } from '../../port/base-engine.ts'
import type { CiphertextMeta, PlaintextMeta } from '../../port/base-handle.ts'
import type {
  CiphertextExpectations,
  CiphertextFile,
  CiphertextNames,
  CircuitIdentity,
  EngineCapabilities,
  EngineMemory,
  EngineProgress,
  SlotEstimate,
  WeightMatrix,
} from '../../port/engine.ts'
import type { RaiseMetas, ScaledProducts, ScaledTerm } from '../../port/engine-arithmetic.ts'
import type { Ciphertext } from '../../port/handles.ts'
import type { KeyNeed, KeyRequest } from '../../port/keys.ts'
import type { PreparedLinearTransform } from '../../port/linear-transform.ts'
import { metaOf } from '../../port/operand-checks.ts'
import { plaintextResidueBytes, primesAt } from '../../port/packed-residues.ts'
import { isLazy, rootMeanSquare, type SlotSource, slotCount, toComplex } from '../../port/slot-values.ts'
import { NoiseModel } from '../noise/noise-model.ts'
import { decodeWeightless, encodeWeightless, single } from '../weightless-file.ts'
import { CircuitTapes } from './circuit-tapes.ts'
import { type CostModel, createDefaultCostModel } from './cost-model.ts'
import { combinedEstimate, norm, productError, rowEstimate } from './errors-of-sums.ts'
import { never, PlanCiphertext, PlanPlaintext } from './plan-handles.ts'
import { type PlanCheckpoint, PlanRecorder, RESIDUE_BYTES } from './plan-recorder.ts'
import type { PlanReport } from './plan-report.ts'
import { raiseEstimate, traceEstimate, transformEstimate } from './transform-estimates.ts'

/** Options of {@link createPlanEngine}. */
export interface PlanEngineOptions {
  /** Default: {@link createDefaultCostModel} on one thread. */
  readonly costModel?: CostModel
  /** Whether the engine planned for fuses linear transforms. Default true. */
  readonly doubleHoisting?: boolean
  /** Most rotation keys of the engine planned for. Default: no limit. */
  readonly maxRotationKeys?: number
  /**
   * Whether estimates hold only what differs between the copies of a short period: encoded vectors and constants count as if they were not rounded,
   * for that is the same in each, and of declared errors that part counts. Default false.
   */
  readonly betweenCopies?: boolean
}

/** See {@link createPlanEngine}. */
export class PlanEngine extends BaseEngine<PlanCiphertext, PlanPlaintext> {
  readonly name = 'plan'
  readonly capabilities: EngineCapabilities
  /** What `seconds` of its reports are told by. */
  readonly costModel: CostModel
  readonly #noise: NoiseModel
  readonly #betweenCopies: boolean
  #deferrable = 0
  readonly #recorder: PlanRecorder
  readonly #tapes = new CircuitTapes()

  constructor(parameters: AnyParameters, options: PlanEngineOptions = {}) {
    super(parameters)
    this.capabilities = {
      doubleHoisting: options.doubleHoisting ?? true,
      maxRotationKeys: options.maxRotationKeys ?? Number.POSITIVE_INFINITY,
    }
    this.costModel = options.costModel ?? createDefaultCostModel()
    this.#noise = new NoiseModel(parameters)
    this.#betweenCopies = options.betweenCopies ?? false
    this.#recorder = new PlanRecorder(parameters, this.costModel)
  }

  /**
   * A handle that stands for a fresh ciphertext.
   *
   * @param at level (default the top), scale (default nominal), period (default N/2), root mean square of the values
   *   (default 1) and of their error (default: public-key encryption)
   * @throws LevelError, ScaleError, InvalidArgumentError for values out of range
   */
  input(at: { level?: number; scale?: number; slots?: number; magnitude?: number; error?: number } = {}): Ciphertext {
    const level = at.level ?? this.parameters.maxLevel
    const scale = at.scale ?? this.parameters.scaleAt(level)
    const slots = slotCount({ slots: at.slots ?? this.parameters.maxSlots, values: never }, this.parameters.maxSlots)
    this.parameters.limbsAt(level)
    if (!(Number.isFinite(scale) && scale >= 1))
      throw new ScaleError(`input: a scale must be finite and at least 1, got ${scale}`)
    const { magnitude = 1, error = this.#noise.fresh() / scale } = at
    if (!(magnitude >= 0 && error >= 0))
      throw new InvalidArgumentError(`input: magnitude and error must not be negative, got ${magnitude} and ${error}`)
    return this.#ciphertext({ level, scale, slots, degree: 1 }, error, magnitude)
  }

  /** Estimated root mean squares of the slot error and of the slot values, and the error in bits. */
  override estimate(a: Ciphertext): SlotEstimate & {
    /** -log2(error). */
    readonly precisionBits: number
  } {
    if (!(a instanceof PlanCiphertext)) throw new InvalidArgumentError('estimate: not a ciphertext of the plan engine')
    a.check(this, 'estimate')
    return { error: a.error, magnitude: a.magnitude, precisionBits: -Math.log2(a.error) }
  }

  override declareMagnitude(a: Ciphertext, rootMeanSquareOfValues: number): void {
    if (a instanceof PlanCiphertext) a.magnitude = rootMeanSquareOfValues
  }

  override declareError(a: Ciphertext, rootMeanSquareOfError: number, betweenCopies = rootMeanSquareOfError): void {
    if (a instanceof PlanCiphertext) a.error = this.#betweenCopies ? betweenCopies : rootMeanSquareOfError
  }

  /** Circuits that were run before are counted again, without a look at their steps. */
  repeat(identity: CircuitIdentity, input: Ciphertext, circuit: () => Ciphertext): Ciphertext {
    this.estimate(input)
    const known = this.#tapes.find(identity, input)
    if (known) {
      this.#recorder.replay(known.tape)
      return this.#ciphertext(known.output, 0, 0)
    }
    const { result, tape } = this.#recorder.record(circuit)
    this.#tapes.keep(identity, input, { output: metaOf(result), tape })
    return result
  }

  /** Marks a point, so that `report({ since })` counts only what came after it. */
  checkpoint(): PlanCheckpoint {
    return this.#recorder.checkpoint()
  }

  /** Everything recorded; operations, totals and seconds only since a checkpoint when one is given. */
  report(options: { readonly since?: PlanCheckpoint } = {}): PlanReport {
    return this.#recorder.report(options.since)
  }

  get loadedKeys(): KeyRequest {
    return this.#recorder.keys
  }
  override hasKey(_: KeyNeed): boolean {
    return true
  }
  protected override requireKey(need: KeyNeed): void {
    this.#recorder.needKey(need)
  }

  async drain(): Promise<void> {}
  cancel(): void {}
  async dispose(): Promise<void> {}
  /** Bytes less that all extended plaintexts so far would have taken if they had been deferred. */
  get deferrableBytes(): number {
    return this.#deferrable
  }
  memory(): EngineMemory {
    return this.#recorder.memory()
  }
  progress(): EngineProgress {
    return { queued: this.#recorder.operations, done: this.#recorder.operations }
  }
  /** A file of this engine: shape and estimates. Reading and writing count as no operation. */
  exportCiphertext(a: Ciphertext): Promise<Uint8Array> {
    return this.exportCiphertexts([a])
  }
  async importCiphertext(bytes: Uint8Array): Promise<Ciphertext> {
    return single(await this.importCiphertexts(bytes))
  }
  override async exportCiphertexts(ciphertexts: readonly Ciphertext[], names?: CiphertextNames): Promise<Uint8Array> {
    if (ciphertexts.length === 0) throw new InvalidArgumentError('exportCiphertexts: at least one ciphertext is needed')
    const items = ciphertexts.map((a) => {
      const { error, magnitude } = this.estimate(a)
      return { meta: metaOf(a), numbers: Float64Array.of(error, magnitude) }
    })
    return encodeWeightless(this.name, this.parameters, items, names)
  }
  override async importCiphertexts(bytes: Uint8Array, expected?: CiphertextExpectations): Promise<CiphertextFile> {
    const { items, names } = decodeWeightless(this.name, this.parameters, bytes, expected)
    for (const [i, { meta, numbers }] of items.entries()) {
      this.parameters.limbsAt(meta.level)
      if (numbers.length !== 2) throw new FormatError(`ciphertext ${i}: expected two estimates, got ${numbers.length}`)
    }
    return { ciphertexts: items.map(({ meta, numbers }) => this.#ciphertext(meta, numbers[0]!, numbers[1]!)), names }
  }

  protected doEncode(values: SlotSource, meta: PlaintextMeta): PlanPlaintext {
    const { level, slots, extended, deferred, scale } = meta
    this.#recorder.count('encode', level, 1, 1, slots / this.parameters.maxSlots)
    const whole = plaintextResidueBytes(primesAt(this.parameters, level, extended ? this.parameters.p : []))
    const magnitude = isLazy(values) ? (values.magnitude ?? 1) : rootMeanSquare(toComplex(values))
    // coefficients of more than 51 bits are kept in two halves
    const kept = (scale * Math.max(1, 4 * magnitude) >= 2 ** 51 ? 2 : 1) * RESIDUE_BYTES
    const bytes = deferred ? kept : whole
    if (extended) this.#deferrable += (bytes - kept) * 2 * slots
    const error = this.#betweenCopies ? 0 : this.#noise.encoding(slots) / scale
    return new PlanPlaintext(this, this.#recorder.ledger, meta, bytes * 2 * slots, { error, magnitude })
  }
  protected doAdd(a: PlanCiphertext, b: PlanCiphertext, meta: CiphertextMeta): PlanCiphertext {
    this.#recorder.count('add', meta.level, 1, meta.degree)
    // the same handle twice: its error doubles, independent ones add up by squares
    if (a === b) return this.#ciphertext(meta, 2 * a.error, 2 * a.magnitude)
    return this.#ciphertext(meta, Math.hypot(a.error, b.error), Math.hypot(a.magnitude, b.magnitude))
  }
  protected doSub(a: PlanCiphertext, b: PlanCiphertext, meta: CiphertextMeta): PlanCiphertext {
    this.#recorder.count('add', meta.level, 1, meta.degree)
    return this.#ciphertext(meta, Math.hypot(a.error, b.error), Math.hypot(a.magnitude, b.magnitude))
  }
  protected override doSum(terms: readonly PlanCiphertext[], meta: CiphertextMeta): PlanCiphertext {
    this.#recorder.count('add', meta.level, Math.max(terms.length - 1, 1), meta.degree)
    return this.#ciphertext(
      meta,
      norm(terms, (t) => t.error),
      norm(terms, (t) => t.magnitude),
    )
  }
  protected doNegate(a: PlanCiphertext, meta: CiphertextMeta): PlanCiphertext {
    this.#recorder.count('add', meta.level, 1, meta.degree)
    return this.#ciphertext(meta, a.error, a.magnitude)
  }
  protected doAddPlain(a: PlanCiphertext, b: PlanPlaintext, meta: CiphertextMeta): PlanCiphertext {
    this.#recorder.count('addPlain', meta.level)
    return this.#ciphertext(meta, Math.hypot(a.error, b.error), Math.hypot(a.magnitude, b.magnitude))
  }
  protected doSubPlain(a: PlanCiphertext, b: PlanPlaintext, meta: CiphertextMeta): PlanCiphertext {
    return this.doAddPlain(a, b, meta)
  }
  protected doMulPlain(a: PlanCiphertext, b: PlanPlaintext, meta: CiphertextMeta): PlanCiphertext {
    this.#recorder.count('mulPlain', meta.level, 1, meta.degree)
    return this.#ciphertext(meta, productError(a, b), a.magnitude * b.magnitude)
  }
  protected doAddScalar(a: PlanCiphertext, re: number, im: number, meta: CiphertextMeta): PlanCiphertext {
    this.#recorder.count('addScalar', meta.level)
    return this.#ciphertext(meta, a.error, Math.hypot(a.magnitude, re, im))
  }
  protected doMulScalar(a: PlanCiphertext, re: number, im: number, scale: number, meta: CiphertextMeta) {
    this.#recorder.count('mulScalar', meta.level, 1, meta.degree)
    const size = Math.hypot(re, im)
    const rounding = Math.hypot(this.#rounding(re, scale), this.#rounding(im, scale))
    return this.#ciphertext(meta, Math.hypot(a.error * size, a.magnitude * rounding), a.magnitude * size)
  }
  protected doMulByI(a: PlanCiphertext, meta: CiphertextMeta): PlanCiphertext {
    this.#recorder.count('mulScalar', meta.level, 1, meta.degree)
    return this.#ciphertext(meta, a.error, a.magnitude)
  }
  protected doMul(a: PlanCiphertext, b: PlanCiphertext, meta: CiphertextMeta): PlanCiphertext {
    this.#recorder.count('mul', meta.level)
    // the same value twice: both error terms are one, and add up instead of averaging out
    const error = a === b ? 2 * a.magnitude * a.error : productError(a, b)
    return this.#ciphertext(meta, error, a.magnitude * b.magnitude)
  }
  protected override doMulAccumulate(
    pairs: readonly (readonly [PlanCiphertext, PlanCiphertext])[],
    meta: CiphertextMeta,
  ) {
    this.#recorder.count('mul', meta.level, pairs.length)
    const error = norm(pairs, ([a, b]) => productError(a, b))
    return this.#ciphertext(
      meta,
      error,
      norm(pairs, ([a, b]) => a.magnitude * b.magnitude),
    )
  }
  protected doRelinearize(a: PlanCiphertext, meta: CiphertextMeta): PlanCiphertext {
    if (a.degree === 1) return this.#copy(a, meta)
    this.#recorder.count('relinearize', meta.level)
    return this.#switched(a, meta)
  }
  protected doRescale(a: PlanCiphertext, meta: CiphertextMeta): PlanCiphertext {
    this.#recorder.count('rescale', a.level, 1, meta.degree)
    const error = Math.hypot(a.error, this.#noise.rescale(meta.degree) / meta.scale)
    return this.#ciphertext(meta, error, a.magnitude)
  }
  protected override doRelinearizeRescale(a: PlanCiphertext, meta: CiphertextMeta): PlanCiphertext {
    this.#recorder.count('relinearizeRescale', a.level)
    using switched = this.#switched(a, { ...meta, level: a.level, scale: a.scale })
    const error = Math.hypot(switched.error, this.#noise.rescale(meta.degree) / meta.scale)
    return this.#ciphertext(meta, error, a.magnitude)
  }
  protected doDropLevel(a: PlanCiphertext, meta: CiphertextMeta): PlanCiphertext {
    return this.#copy(a, meta)
  }
  protected doRotateHoisted(a: PlanCiphertext, steps: readonly number[], meta: CiphertextMeta): PlanCiphertext[] {
    this.#recorder.countRotations(
      meta.level,
      steps.reduce((n, s) => n + (s === 0 ? 0 : 1), 0),
    )
    return steps.map((step) => (step === 0 ? this.#copy(a, meta) : this.#switched(a, meta)))
  }
  protected doConjugate(a: PlanCiphertext, meta: CiphertextMeta): PlanCiphertext {
    this.#recorder.count('conjugate', meta.level)
    return this.#switched(a, meta)
  }
  protected doModRaise(a: PlanCiphertext, meta: CiphertextMeta): PlanCiphertext {
    this.#recorder.count('modRaise', meta.level)
    this.#recorder.needScratch(meta.level, 1)
    const added = Math.hypot(this.#noise.encapsulation(), this.#noise.keySwitch(meta.level)) / meta.scale
    const multiple = (this.parameters.groupProduct(0) / meta.scale) * this.#noise.raise()
    return this.#ciphertext(meta, Math.hypot(a.error, added), Math.hypot(a.magnitude, multiple))
  }
  protected override doRaiseTransforms(
    inputs: readonly PlanCiphertext[],
    transform: PreparedLinearTransform,
    metas: readonly RaiseMetas[],
  ) {
    this.#recorder.needRaise(transform, inputs.length)
    const period = this.parameters.groupProduct(0) * this.#noise.raise()
    const estimates = inputs.map((a, i) => raiseEstimate(this.#noise, a, transform, metas[i]!, period))
    return estimates.map(({ error, magnitude }, i) => this.#ciphertext(metas[i]!.result, error, magnitude))
  }
  protected override doTrace(a: PlanCiphertext, meta: CiphertextMeta): PlanCiphertext {
    const turns = Math.log2(a.slots / meta.slots)
    if (turns === 0) return this.#copy(a, meta)
    this.#recorder.count('rotate', meta.level, turns)
    this.#recorder.count('add', meta.level, turns)
    this.#recorder.needScratch(meta.level, 1)
    const { error, magnitude } = traceEstimate(a, turns, this.#noise.keySwitch(meta.level) / meta.scale)
    return this.#ciphertext(meta, error, magnitude)
  }
  protected override doLinearTransform(a: PlanCiphertext, transform: PreparedLinearTransform, meta: CiphertextMeta) {
    if (!this.capabilities.doubleHoisting) return super.doLinearTransform(a, transform, meta)
    this.#recorder.needTransform(meta.level, transform, 1)
    return this.#transformed(a, transform, meta)
  }
  protected override doLinearTransforms(
    inputs: readonly PlanCiphertext[],
    transform: PreparedLinearTransform,
    products: readonly CiphertextMeta[],
    results?: readonly CiphertextMeta[],
  ) {
    if (!this.capabilities.doubleHoisting) return super.doLinearTransforms(inputs, transform, products, results)
    this.#recorder.needTransform(products[0]!.level, transform, inputs.length, results ? 'modDownRescale' : 'modDown')
    return inputs.map((a, i) => {
      if (!results) return this.#transformed(a, transform, products[i]!)
      using made = this.#transformed(a, transform, products[i]!)
      const meta = results[i]!
      return this.#ciphertext(meta, Math.hypot(made.error, this.#noise.rescale() / meta.scale), made.magnitude)
    })
  }
  protected override doMatrixProduct(
    inputs: readonly PlanCiphertext[],
    weights: WeightMatrix,
    scale: number,
    meta: CiphertextMeta,
  ): PlanCiphertext[] {
    this.#recorder.count('matrixProduct', meta.level, weights.rows * weights.columns, meta.degree)
    const rounding = (weight: number) => this.#rounding(weight, scale)
    return Array.from({ length: weights.rows }, (_, row) => {
      const { error, magnitude } = rowEstimate(inputs, weights, row, rounding)
      return this.#ciphertext(meta, error, magnitude)
    })
  }

  /** One pass over each term, as long as a sum or a product with a constant. */
  protected override doLinearCombination(
    terms: readonly ScaledTerm<PlanCiphertext>[],
    constant: { readonly re: number; readonly im: number },
    meta: CiphertextMeta,
  ): PlanCiphertext {
    this.#countTerms(terms, meta.level)
    return this.#combined(terms, constant, meta)
  }
  /** The products are still in the cache when the terms are added: nothing to be counted for them beside the products. */
  protected override doProductCombination(
    products: ScaledProducts<PlanCiphertext>,
    terms: readonly ScaledTerm<PlanCiphertext>[],
    constant: { readonly re: number; readonly im: number },
    meta: CiphertextMeta,
  ): PlanCiphertext {
    using product = this.doProducts(products.pairs, products.meta)
    this.#countTerms(terms, meta.level)
    return this.#combined([{ ...products, ciphertext: product }, ...terms], constant, meta)
  }
  #countTerms(terms: readonly ScaledTerm<PlanCiphertext>[], level: number): void {
    for (const { ciphertext, re, im, scale } of terms) {
      const isMultiple = scale === 1 && Number.isInteger(re) && im === 0
      this.#recorder.count(isMultiple ? 'add' : 'mulScalar', level, 1, ciphertext.degree)
    }
  }
  #combined(
    terms: readonly ScaledTerm<PlanCiphertext>[],
    constant: { readonly re: number; readonly im: number },
    meta: CiphertextMeta,
  ): PlanCiphertext {
    const { error, magnitude } = combinedEstimate(terms, constant, (value, scale) => this.#rounding(value, scale))
    return this.#ciphertext(meta, error, magnitude)
  }
  #transformed(a: PlanCiphertext, transform: PreparedLinearTransform, meta: CiphertextMeta): PlanCiphertext {
    const scales = { level: meta.level, before: a.scale, after: meta.scale }
    const { error, magnitude } = transformEstimate(this.#noise, a, transform, scales)
    return this.#ciphertext(meta, error, magnitude)
  }
  /** What rounding a constant to a multiple of 1 / scale changes: nothing for integers at scale 1. */
  #rounding(value: number, scale: number): number {
    return this.#betweenCopies ? 0 : Math.abs(Math.round(value * scale) / scale - value)
  }
  #copy(a: PlanCiphertext, meta: CiphertextMeta): PlanCiphertext {
    this.#recorder.count('dropLevel', meta.level, 1, meta.degree)
    return this.#ciphertext(meta, a.error, a.magnitude)
  }
  #switched(a: PlanCiphertext, meta: CiphertextMeta): PlanCiphertext {
    this.#recorder.needScratch(meta.level, 1)
    return this.#ciphertext(meta, Math.hypot(a.error, this.#noise.keySwitch(meta.level) / meta.scale), a.magnitude)
  }
  #ciphertext(meta: CiphertextMeta, error: number, magnitude: number): PlanCiphertext {
    const residues = (meta.degree + 1) * this.parameters.limbsAt(meta.level) * this.parameters.ringDegree
    return new PlanCiphertext(this, this.#recorder.ledger, meta, residues * RESIDUE_BYTES, { error, magnitude })
  }
}

/**
 * The weightless engine: run a circuit on it and read off operations, keys, bytes, time and error.
 *
 * @example
 * ```ts
 * import { createParameters, createPlanEngine } from '@he-ml/ckks-core'
 * const engine = createPlanEngine(createParameters({ logN: 14, levels: 6, scaleBits: 36, dnum: 4 }))
 * const x = engine.input()
 * const y = engine.rescale(engine.relinearize(engine.mul(x, engine.rotate(x, 5))))
 * const { totals, keyRequest, seconds } = engine.report()
 * console.log(totals, keyRequest, seconds, engine.estimate(y).precisionBits)
 * ```
 */
export function createPlanEngine(parameters: AnyParameters, options: PlanEngineOptions = {}): PlanEngine {
  return new PlanEngine(parameters, options)
}
