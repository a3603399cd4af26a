/**
 * The port on a noise tape: running a circuit here records every step at a few samples of the input, with the errors that
 * the noise model gives for it at its level and scale. What comes out is the error of the result as reality has it, the
 * errors of all steps followed through the very circuit that will run.
 */
import { InvalidArgumentError, UnsupportedError } from '../../errors/errors.ts'
import type { AnyParameters } from '../../parameters/parameters.ts'
import { BaseEngine } from '../../port/base-engine.ts'
import { BaseCiphertext, BasePlaintext, type CiphertextMeta, type PlaintextMeta } from '../../port/base-handle.ts'
import type { EngineCapabilities, EngineMemory, EngineProgress } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import type { KeyNeed, KeyRequest } from '../../port/keys.ts'
import type { ComplexVector, SlotSource, SlotValues } from '../../port/slot-values.ts'
import { NoiseModel } from './noise-model.ts'
import { NoiseTape, type TapeStep } from './noise-tape.ts'

/** A ciphertext of the tape engine: a step of the tape. */
class TapeCiphertext extends BaseCiphertext {
  readonly step: TapeStep

  constructor(owner: object, meta: CiphertextMeta, step: TapeStep) {
    super(owner, meta)
    this.step = step
  }
  ready(): Promise<void> {
    return Promise.resolve()
  }
  protected release(): void {}
}

/** What stands for a plaintext: the tape engine makes none. */
class TapePlaintext extends BasePlaintext {
  protected release(): void {}
}

/** Level and scale of an input, and the root mean square of its error. */
export interface TapeInput {
  /** Default: the top. */
  readonly level?: number
  /** Default: the nominal scale of the level. */
  readonly scale?: number
  /** Default 0. */
  readonly error?: number
}

/**
 * Records slot-wise circuits: sums, products with constants and with each other, squares, conjugates, relinearisation,
 * rescaling. Slots are samples here, so there is nothing to rotate or to encode: those calls are refused.
 *
 * The samples of all inputs belong together: sample i of one meets sample i of the other.
 *
 * @throws UnsupportedError at calls that need whole vectors
 * @example
 * ```ts no-run
 * const tape = new TapeEngine(parameters, samples.length)
 * const t = tape.input(samples, { level: 12, scale: parameters.scaleAt(12), error: 2 ** -20 })
 * const cosine = evaluateChebyshev(tape, t, series)
 * const square = tape.relinearize(tape.square(cosine))
 * const doubled = tape.rescale(tape.addScalar(tape.add(square, square), -1))
 * console.log(tape.error(doubled), tape.magnitude(doubled), tape.gain(doubled, t))
 * ```
 */
export class TapeEngine extends BaseEngine<TapeCiphertext, TapePlaintext> {
  readonly name = 'tape'
  readonly capabilities: EngineCapabilities = { maxRotationKeys: Number.POSITIVE_INFINITY, doubleHoisting: false }
  readonly loadedKeys: KeyRequest = { rotations: [] }
  readonly #noise: NoiseModel
  readonly #tape: NoiseTape
  #operations = 0

  /**
   * @param samples how many samples each input has
   * @param weights how often each occurs, in any unit (default: all equally often)
   */
  constructor(parameters: AnyParameters, samples: number, weights?: Float64Array) {
    super(parameters)
    this.#noise = new NoiseModel(parameters)
    this.#tape = new NoiseTape(samples, weights)
  }

  /** @throws InvalidArgumentError for a wrong number of samples or a negative error; LevelError */
  input(values: SlotValues, at: TapeInput = {}): Ciphertext {
    const { level = this.parameters.maxLevel, error } = at
    this.parameters.limbsAt(level)
    const { scale = this.parameters.scaleAt(level) } = at
    const meta: CiphertextMeta = { level, scale, slots: this.parameters.maxSlots, degree: 1 }
    return this.#ciphertext(meta, this.#tape.input(values, error))
  }

  /** Root mean square of the error of the slots. */
  error(a: Ciphertext): number {
    return this.#tape.error(this.#stepOf(a, 'error'))
  }

  /** Root mean square of the slots. */
  magnitude(a: Ciphertext): number {
    return this.#tape.magnitude(this.#stepOf(a, 'magnitude'))
  }

  /** The values at the samples. */
  values(a: Ciphertext): ComplexVector {
    return this.#tape.values(this.#stepOf(a, 'values'))
  }

  /**
   * Root mean square of d(result) / d(operand): the factor by which an error of the operand arrives.
   * @param error whether that error is real, or complex with independent halves (default)
   */
  gain(result: Ciphertext, operand: Ciphertext, error: 'complex' | 'real' = 'complex'): number {
    return this.#tape.gain(this.#stepOf(result, 'gain'), this.#stepOf(operand, 'gain'), error)
  }

  override hasKey(_: KeyNeed): boolean {
    return true
  }
  async drain(): Promise<void> {}
  cancel(): void {}
  async dispose(): Promise<void> {}
  memory(): EngineMemory {
    return { ciphertexts: 0, plaintexts: 0, keys: 0, scratch: 0, total: 0, peak: 0 }
  }
  progress(): EngineProgress {
    return { queued: this.#operations, done: this.#operations }
  }
  async exportCiphertext(_: Ciphertext): Promise<Uint8Array> {
    throw unsupported('exportCiphertext')
  }
  async importCiphertext(_: Uint8Array): Promise<Ciphertext> {
    throw unsupported('importCiphertext')
  }

  protected doAdd(a: TapeCiphertext, b: TapeCiphertext, meta: CiphertextMeta): TapeCiphertext {
    return this.#combined(meta, [a, b], [1, 1])
  }
  protected doSub(a: TapeCiphertext, b: TapeCiphertext, meta: CiphertextMeta): TapeCiphertext {
    return this.#combined(meta, [a, b], [1, -1])
  }
  protected override doSum(terms: readonly TapeCiphertext[], meta: CiphertextMeta): TapeCiphertext {
    return this.#combined(
      meta,
      terms,
      terms.map(() => 1),
    )
  }
  protected doNegate(a: TapeCiphertext, meta: CiphertextMeta): TapeCiphertext {
    return this.#combined(meta, [a], [-1])
  }
  protected doMulByI(a: TapeCiphertext, meta: CiphertextMeta): TapeCiphertext {
    return this.#ciphertext(meta, this.#tape.combine([{ step: a.step, re: 0, im: 1 }]))
  }
  /** The constant is rounded at the scale of a ciphertext product, which no one notices. */
  protected doAddScalar(a: TapeCiphertext, re: number, im: number, meta: CiphertextMeta): TapeCiphertext {
    return this.#ciphertext(meta, this.#tape.combine([{ step: a.step, re: 1, im: 0 }], { re, im }))
  }
  protected doMulScalar(a: TapeCiphertext, re: number, im: number, scale: number, meta: CiphertextMeta) {
    const rounding = Math.hypot(roundingOf(re, scale), roundingOf(im, scale))
    return this.#ciphertext(meta, this.#tape.combine([{ step: a.step, re, im, rounding }]))
  }
  protected doMul(a: TapeCiphertext, b: TapeCiphertext, meta: CiphertextMeta): TapeCiphertext {
    return this.#ciphertext(meta, this.#tape.products([[a.step, b.step]]))
  }
  protected override doMulAccumulate(
    pairs: readonly (readonly [TapeCiphertext, TapeCiphertext])[],
    meta: CiphertextMeta,
  ): TapeCiphertext {
    return this.#ciphertext(meta, this.#tape.products(pairs.map(([a, b]) => [a.step, b.step])))
  }
  protected doRelinearize(a: TapeCiphertext, meta: CiphertextMeta): TapeCiphertext {
    if (a.degree === 1) return this.#ciphertext(meta, a.step)
    return this.#disturbed(a, meta, this.#noise.keySwitch(meta.level))
  }
  protected doRescale(a: TapeCiphertext, meta: CiphertextMeta): TapeCiphertext {
    return this.#disturbed(a, meta, this.#noise.rescale(meta.degree))
  }
  protected doDropLevel(a: TapeCiphertext, meta: CiphertextMeta): TapeCiphertext {
    return this.#ciphertext(meta, a.step)
  }

  protected doEncode(_: SlotSource, __: PlaintextMeta): TapePlaintext {
    throw unsupported('encode')
  }
  protected doAddPlain(): TapeCiphertext {
    throw unsupported('addPlain')
  }
  protected doSubPlain(): TapeCiphertext {
    throw unsupported('subPlain')
  }
  protected doMulPlain(): TapeCiphertext {
    throw unsupported('mulPlain')
  }
  protected doRotateHoisted(): TapeCiphertext[] {
    throw unsupported('rotate')
  }
  protected doConjugate(a: TapeCiphertext, meta: CiphertextMeta): TapeCiphertext {
    const conjugate = this.#tape.conjugate(a.step)
    return this.#ciphertext(meta, this.#tape.disturb(conjugate, this.#noise.keySwitch(meta.level) / meta.scale))
  }
  protected doModRaise(): TapeCiphertext {
    throw unsupported('modRaise')
  }

  #combined(meta: CiphertextMeta, of: readonly TapeCiphertext[], factors: readonly number[]): TapeCiphertext {
    const terms = of.map(({ step }, i) => ({ step, re: factors[i]!, im: 0 }))
    return this.#ciphertext(meta, this.#tape.combine(terms))
  }
  #disturbed(a: TapeCiphertext, meta: CiphertextMeta, noise: number): TapeCiphertext {
    return this.#ciphertext(meta, this.#tape.disturb(a.step, noise / meta.scale))
  }
  #ciphertext(meta: CiphertextMeta, step: TapeStep): TapeCiphertext {
    this.#operations++
    return new TapeCiphertext(this, meta, step)
  }
  /** Also of handles that the circuit has disposed of: their steps stay recorded. */
  #stepOf(a: Ciphertext, operation: string): TapeStep {
    if (!(a instanceof TapeCiphertext) || a.owner !== this)
      throw new InvalidArgumentError(`${operation}: not a ciphertext of this tape engine`)
    return a.step
  }
}

const unsupported = (operation: string) =>
  new UnsupportedError(`${operation}: the tape engine follows slot-wise circuits only; use the plan engine`)

/** What rounding to a multiple of 1 / scale changes. */
const roundingOf = (value: number, scale: number): number => Math.abs(Math.round(value * scale) / scale - value)
