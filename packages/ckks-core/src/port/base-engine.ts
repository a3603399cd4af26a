/**
 * All the checks, once. A public call validates its operands, works out level, scale, degree and period of the result, and
 * hands over to a `do...` method that only computes. So every engine refuses the same mistakes with the same words, and none
 * can forget a check.
 */
import {
  InvalidArgumentError,
  LevelError,
  MissingKeyError,
  ParameterMismatchError,
  ScaleError,
  UnsupportedError,
} from '../errors/errors.ts'
import { assertEphemeralSecure } from '../parameters/ephemeral.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import { BaseCiphertext, BasePlaintext, type CiphertextMeta } from './base-handle.ts'
import type {
  CiphertextExpectations,
  CiphertextFile,
  CiphertextNames,
  EncodeOptions,
  Engine,
  EngineCapabilities,
  EngineMemory,
  EngineProgress,
  Lane,
  LaneOptions,
  LinearTerm,
  SlotEstimate,
  WeightMatrix,
} from './engine.ts'
import { EngineArithmetic } from './engine-arithmetic.ts'
import { normalizeSteps } from './galois.ts'
import type { Ciphertext, Plaintext } from './handles.ts'
import type { KeyNeed, KeyRequest } from './keys.ts'
import type { PreparedLinearTransform } from './linear-transform.ts'
import {
  additiveMeta,
  fittingScale,
  metaOf,
  productMeta,
  requireSameLevelAndScale,
  rescaledMeta,
  sameScale,
} from './operand-checks.ts'
import { type Scalar, type SlotSource, scalarParts, slotCount } from './slot-values.ts'
import { SyncLane } from './sync-lane.ts'
import { stepsOf, transformedMeta } from './transform-checks.ts'

/** An engine without its arithmetic: checks every operand, and computes level, scale, degree and period of the result. */
export abstract class BaseEngine<C extends BaseCiphertext, P extends BasePlaintext>
  extends EngineArithmetic<C, P>
  implements Engine
{
  abstract readonly name: string
  abstract readonly capabilities: EngineCapabilities
  abstract readonly loadedKeys: KeyRequest
  readonly threads: number = 1
  /** Parameters of its ciphertexts, plaintexts and keys. */
  readonly parameters: AnyParameters

  /** To whom handles belong: the engine itself, also where a lane makes them. */
  readonly #owner: object

  constructor(parameters: AnyParameters, owner?: object) {
    super()
    this.parameters = parameters
    this.#owner = owner ?? this
  }

  encode(values: SlotSource, options: EncodeOptions): Plaintext {
    const { level, scale } = options
    const deferred = options.deferred === true && this.capabilities.doubleHoisting
    const extended = options.extended === true || deferred
    this.parameters.limbsAt(level)
    if (!(Number.isFinite(scale) && scale >= 1))
      throw new ScaleError(`encode: a scale must be finite and at least 1, got ${scale}`)
    const slots = slotCount(values, this.parameters.maxSlots)
    return this.doEncode(values, { level, scale, slots, extended, deferred })
  }

  add(a: Ciphertext, b: Ciphertext): Ciphertext {
    const [x, y, meta] = this.#pair(a, b, 'add')
    return this.doAdd(x, y, meta)
  }
  sub(a: Ciphertext, b: Ciphertext): Ciphertext {
    const [x, y, meta] = this.#pair(a, b, 'sub')
    return this.doSub(x, y, meta)
  }
  sum(terms: readonly Ciphertext[]): Ciphertext {
    const first = terms[0]
    if (first === undefined) throw new InvalidArgumentError('sum: at least one ciphertext is needed')
    const meta = this.#sumMeta(first, terms, 'sum')
    return this.doSum(terms as readonly C[], meta)
  }
  negate(a: Ciphertext): Ciphertext {
    const x = this.#own(a, 'negate')
    return this.doNegate(x, metaOf(x))
  }
  addPlain(a: Ciphertext, b: Plaintext): Ciphertext {
    const [x, y, meta] = this.#plainPair(a, b, 'addPlain', true)
    return this.doAddPlain(x, y, meta)
  }
  subPlain(a: Ciphertext, b: Plaintext): Ciphertext {
    const [x, y, meta] = this.#plainPair(a, b, 'subPlain', true)
    return this.doSubPlain(x, y, meta)
  }
  mulPlain(a: Ciphertext, b: Plaintext): Ciphertext {
    const [x, y, meta] = this.#plainPair(a, b, 'mulPlain', false)
    return this.doMulPlain(x, y, {
      ...meta,
      scale: fittingScale(this.parameters, meta.scale * y.scale, meta.level, 'mulPlain'),
    })
  }
  addScalar(a: Ciphertext, value: Scalar): Ciphertext {
    const x = this.#own(a, 'addScalar')
    const { re, im } = scalarParts(value)
    return this.doAddScalar(x, re, im, metaOf(x))
  }
  mulScalar(a: Ciphertext, value: Scalar, scale = this.#weightScale(a)): Ciphertext {
    const x = this.#own(a, 'mulScalar')
    const { re, im } = scalarParts(value)
    if (!(Number.isFinite(scale) && scale >= 1))
      throw new ScaleError(`mulScalar: a scale must be finite and at least 1, got ${scale}`)
    return this.doMulScalar(x, re, im, scale, {
      ...metaOf(x),
      scale: fittingScale(this.parameters, x.scale * scale, x.level, 'mulScalar'),
    })
  }
  mulInteger(a: Ciphertext, value: number): Ciphertext {
    const x = this.#own(a, 'mulInteger')
    if (!Number.isSafeInteger(value))
      throw new InvalidArgumentError(`mulInteger: expected a safe integer, got ${value}`)
    return this.doMulScalar(x, value, 0, 1, metaOf(x))
  }
  mulByI(a: Ciphertext): Ciphertext {
    const x = this.#own(a, 'mulByI')
    return this.doMulByI(x, metaOf(x))
  }
  mul(a: Ciphertext, b: Ciphertext): Ciphertext {
    const x = this.#linear(a, 'mul')
    const y = this.#linear(b, 'mul')
    return this.doMul(x, y, productMeta(this.parameters, x, y, 'mul'))
  }
  square(a: Ciphertext): Ciphertext {
    const x = this.#linear(a, 'square')
    return this.doSquare(x, productMeta(this.parameters, x, x, 'square'))
  }
  mulAccumulate(pairs: readonly (readonly [Ciphertext, Ciphertext])[]): Ciphertext {
    if (pairs.length === 0) throw new InvalidArgumentError('mulAccumulate: at least one pair is needed')
    let meta: CiphertextMeta | undefined
    for (const [a, b] of pairs) {
      const next = productMeta(
        this.parameters,
        this.#linear(a, 'mulAccumulate'),
        this.#linear(b, 'mulAccumulate'),
        'mulAccumulate',
      )
      if (meta) requireSameLevelAndScale(meta, next, 'mulAccumulate')
      meta = { ...next, slots: Math.max(meta?.slots ?? 1, next.slots) }
    }
    return this.doMulAccumulate(pairs as readonly (readonly [C, C])[], meta!)
  }
  relinearize(a: Ciphertext): Ciphertext {
    const x = this.#own(a, 'relinearize')
    if (x.degree === 2) this.requireKey({ kind: 'relinearization', level: x.level }, 'relinearize')
    return this.doRelinearize(x, { ...metaOf(x), degree: 1 })
  }
  relinearizeRescale(a: Ciphertext): Ciphertext {
    const x = this.#own(a, 'relinearizeRescale')
    const meta = rescaledMeta(this.parameters, x, 'relinearizeRescale')
    if (x.degree === 1) return this.doRescale(x, meta)
    this.requireKey({ kind: 'relinearization', level: x.level }, 'relinearizeRescale')
    return this.doRelinearizeRescale(x, { ...meta, degree: 1 })
  }
  rescale(a: Ciphertext): Ciphertext {
    const x = this.#own(a, 'rescale')
    return this.doRescale(x, rescaledMeta(this.parameters, x, 'rescale'))
  }
  dropLevel(a: Ciphertext, level: number): Ciphertext {
    const x = this.#own(a, 'dropLevel')
    this.parameters.limbsAt(level)
    if (level > x.level) throw new LevelError(`dropLevel: cannot raise level ${x.level} to ${level}`)
    fittingScale(this.parameters, x.scale, level, 'dropLevel')
    return this.doDropLevel(x, { ...metaOf(x), level })
  }
  modRaise(a: Ciphertext, level: number = this.parameters.maxLevel): Ciphertext {
    const x = this.#linear(a, 'modRaise')
    this.parameters.limbsAt(level)
    if (x.level !== 0)
      throw new LevelError(`modRaise: expected a ciphertext at level 0, got level ${x.level}: dropLevel first`)
    if (level < 1) throw new LevelError(`modRaise: cannot raise to level ${level}`)
    assertEphemeralSecure(this.parameters)
    this.requireKey({ kind: 'encapsulation', level }, 'modRaise')
    return this.doModRaise(x, { ...metaOf(x), level, slots: this.parameters.maxSlots })
  }
  trace(a: Ciphertext, slots: number): Ciphertext {
    const x = this.#linear(a, 'trace')
    if (!(slots >= 1 && slots <= x.slots && Number.isInteger(Math.log2(slots))))
      throw new InvalidArgumentError(`trace: slots must be a power of two from 1 to ${x.slots}, got ${slots}`)
    for (let steps = slots; steps < x.slots; steps *= 2)
      this.requireKey({ kind: 'rotation', steps, level: x.level }, 'trace')
    return this.doTrace(x, { ...metaOf(x), slots })
  }
  rotate(a: Ciphertext, steps: number): Ciphertext {
    return this.rotateHoisted(a, [steps])[0]!
  }
  rotateHoisted(a: Ciphertext, steps: readonly number[]): Ciphertext[] {
    const x = this.#linear(a, 'rotate')
    const normal = steps.map((s) => {
      if (!Number.isSafeInteger(s)) throw new InvalidArgumentError(`rotate: steps must be an integer, got ${s}`)
      return normalizeSteps(s, x.slots)
    })
    for (const s of normal) if (s !== 0) this.requireKey({ kind: 'rotation', steps: s, level: x.level }, 'rotate')
    return this.doRotateHoisted(x, normal, metaOf(x))
  }
  conjugate(a: Ciphertext): Ciphertext {
    const x = this.#linear(a, 'conjugate')
    this.requireKey({ kind: 'conjugation', level: x.level }, 'conjugate')
    return this.doConjugate(x, metaOf(x))
  }
  linearTransform(a: Ciphertext, transform: PreparedLinearTransform): Ciphertext {
    const x = this.#linear(a, 'linearTransform')
    return this.doLinearTransform(x, transform, this.#transformedMeta(x, transform, 'linearTransform'))
  }
  linearTransforms(inputs: readonly Ciphertext[], transform: PreparedLinearTransform): Ciphertext[] {
    if (inputs.length === 0) throw new InvalidArgumentError('linearTransforms: at least one ciphertext is needed')
    const linear = inputs.map((a) => this.#linear(a, 'linearTransforms'))
    const metas = linear.map((x) => this.#transformedMeta(x, transform, 'linearTransforms'))
    return this.doLinearTransforms(linear, transform, metas)
  }
  matrixProduct(inputs: readonly Ciphertext[], weights: WeightMatrix, scale?: number): Ciphertext[] {
    const first = inputs[0]
    if (first === undefined) throw new InvalidArgumentError('matrixProduct: at least one input is needed')
    if (weights.columns !== inputs.length || weights.data.length !== weights.rows * weights.columns)
      throw new InvalidArgumentError(
        `matrixProduct: ${weights.rows} x ${weights.columns} weights with ${weights.data.length} values do not fit ${inputs.length} inputs`,
      )
    for (const w of weights.data)
      if (!Number.isFinite(w)) throw new InvalidArgumentError('matrixProduct: weights must be finite')
    const meta = this.#sumMeta(first, inputs, 'matrixProduct')
    const weightScale = scale ?? this.#weightScale(first)
    if (!(Number.isFinite(weightScale) && weightScale >= 1))
      throw new ScaleError(`matrixProduct: a scale must be finite and at least 1`)
    const result = {
      ...meta,
      scale: fittingScale(this.parameters, meta.scale * weightScale, meta.level, 'matrixProduct'),
    }
    return this.doMatrixProduct(inputs as readonly C[], weights, weightScale, result)
  }

  linearCombination(terms: readonly LinearTerm[], scale: number, constant: Scalar = 0): Ciphertext {
    const first = terms[0]
    if (first === undefined) throw new InvalidArgumentError('linearCombination: at least one term is needed')
    const parts = terms.map(({ ciphertext, by }) => {
      const x = this.#own(ciphertext, 'linearCombination')
      if (x.level !== first.ciphertext.level)
        throw new LevelError(
          `linearCombination: levels ${first.ciphertext.level} and ${x.level} differ: drop the higher`,
        )
      const missing = sameScale(x.scale, scale) ? 1 : scale / x.scale
      if (!(missing >= 1 && Number.isFinite(missing)))
        throw new ScaleError(
          `linearCombination: a term has scale 2^${Math.log2(x.scale)}, above the sum's 2^${Math.log2(scale)}`,
        )
      return { ciphertext: x, ...scalarParts(by), scale: missing }
    })
    const { level } = first.ciphertext
    const meta = {
      level,
      scale: fittingScale(this.parameters, scale, level, 'linearCombination'),
      slots: parts.reduce((most, { ciphertext }) => Math.max(most, ciphertext.slots), 0),
      degree: parts.some(({ ciphertext }) => ciphertext.degree === 2) ? (2 as const) : (1 as const),
    }
    return this.doLinearCombination(parts, scalarParts(constant), meta)
  }

  declareMagnitude(_a: Ciphertext, _rootMeanSquare: number): void {}
  declarePeriodic(_a: Ciphertext): void {}
  declareError(_a: Ciphertext, _rootMeanSquare: number, _betweenCopies?: number): void {}
  estimate(_a: Ciphertext): SlotEstimate | undefined {
    return undefined
  }

  hasKey(need: KeyNeed): boolean {
    const keys = this.loadedKeys
    if (need.kind === 'relinearization') return (keys.relinearization ?? -1) >= need.level
    if (need.kind === 'conjugation') return (keys.conjugation ?? -1) >= need.level
    if (need.kind === 'encapsulation') return (keys.encapsulation ?? -1) >= need.level
    return keys.rotations.some((r) => r.steps === need.steps && r.level >= need.level)
  }

  /** Throws MissingKeyError unless a loaded key serves the need; the plan engine records it instead. */
  protected requireKey(need: KeyNeed, operation: string): void {
    if (this.hasKey(need)) return
    const which = need.kind === 'rotation' ? `rotation key for ${need.steps} steps` : `${need.kind} key`
    throw new MissingKeyError(
      `${operation}: no ${which} at level >= ${need.level} is loaded; generate keys from the plan's keyRequest`,
    )
  }

  abstract drain(): Promise<void>
  abstract cancel(): void
  abstract memory(): EngineMemory
  abstract progress(): EngineProgress
  /** For engines whose calls compute at once; those with a queue have lanes of their own. */
  openLane(options?: LaneOptions): Lane {
    return new SyncLane(this, options)
  }

  abstract exportCiphertext(a: Ciphertext): Promise<Uint8Array>
  abstract importCiphertext(bytes: Uint8Array, expected?: CiphertextExpectations): Promise<Ciphertext>
  /** One is exported as such; for several there is no format unless the engine has one. */
  async exportCiphertexts(ciphertexts: readonly Ciphertext[], _names?: CiphertextNames): Promise<Uint8Array> {
    if (ciphertexts.length === 1) return this.exportCiphertext(ciphertexts[0]!)
    if (ciphertexts.length === 0) throw new InvalidArgumentError('exportCiphertexts: at least one ciphertext is needed')
    throw new UnsupportedError(
      `exportCiphertexts: a file of the ${this.name} engine holds one ciphertext, got ${ciphertexts.length}: export them one by one`,
    )
  }
  async importCiphertexts(bytes: Uint8Array, expected?: CiphertextExpectations): Promise<CiphertextFile> {
    return { ciphertexts: [await this.importCiphertext(bytes, expected)], names: {} }
  }
  abstract dispose(): Promise<void>
  /** As `dispose`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  #weightScale(a: Ciphertext): number {
    if (a.level < 1) return this.parameters.scaleAt(0)
    // the factor that makes rescale land exactly on the nominal scale below
    return (this.parameters.groupProduct(a.level) * this.parameters.scaleAt(a.level - 1)) / a.scale
  }
  #own(a: Ciphertext, operation: string): C {
    if (!(a instanceof BaseCiphertext))
      throw new ParameterMismatchError(`${operation}: not a ciphertext of this engine`)
    a.check(this.#owner, operation)
    return a as BaseCiphertext as C
  }
  #ownPlain(a: Plaintext, operation: string): P {
    if (!(a instanceof BasePlaintext)) throw new ParameterMismatchError(`${operation}: not a plaintext of this engine`)
    a.check(this.#owner, operation)
    return a as BasePlaintext as P
  }
  #wholePlain(a: Plaintext, operation: string): P {
    const whole = this.#ownPlain(a, operation)
    if (whole.deferred)
      throw new InvalidArgumentError(
        `${operation}: a deferred plaintext is for linear transforms only: encode it without deferred`,
      )
    return whole
  }
  #linear(a: Ciphertext, operation: string): C {
    const x = this.#own(a, operation)
    if (x.degree !== 1)
      throw new InvalidArgumentError(`${operation}: expected degree 1, got ${x.degree}: relinearize first`)
    return x
  }
  /** Of the product, when the transform fits the ciphertext and keys for its steps are there. */
  #transformedMeta(x: C, transform: PreparedLinearTransform, operation: string): CiphertextMeta {
    for (const { terms } of transform.giants) for (const term of terms) this.#ownPlain(term.plaintext, operation)
    const meta = transformedMeta(this.parameters, x, transform, operation)
    for (const steps of stepsOf(transform)) this.requireKey({ kind: 'rotation', steps, level: x.level }, operation)
    return meta
  }
  #pair(a: Ciphertext, b: Ciphertext, operation: string): [C, C, CiphertextMeta] {
    const x = this.#own(a, operation)
    const y = this.#own(b, operation)
    return [x, y, additiveMeta(metaOf(x), y, operation)]
  }
  #sumMeta(first: Ciphertext, terms: readonly Ciphertext[], operation: string): CiphertextMeta {
    let meta = metaOf(this.#own(first, operation))
    for (const term of terms) meta = additiveMeta(meta, this.#own(term, operation), operation)
    return meta
  }
  #plainPair(a: Ciphertext, b: Plaintext, operation: string, additive: boolean): [C, P, CiphertextMeta] {
    const x = this.#own(a, operation)
    const y = this.#wholePlain(b, operation)
    if (y.level < x.level)
      throw new LevelError(
        `${operation}: the plaintext is at level ${y.level}, below the ciphertext's ${x.level}: encode it at that level`,
      )
    if (additive && !sameScale(x.scale, y.scale))
      throw new ScaleError(
        `${operation}: scales differ: ciphertext 2^${Math.log2(x.scale)}, plaintext 2^${Math.log2(y.scale)}`,
      )
    return [x, y, { ...metaOf(x), slots: Math.max(x.slots, y.slots) }]
  }
}
