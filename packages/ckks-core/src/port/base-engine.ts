/**
 * All the checks, once. A public call validates its operands, works out level, scale, degree and period of the result, and
 * hands over to a `do...` method that only computes. So every engine refuses the same mistakes with the same words, and none
 * can forget a check.
 */
import { InvalidArgumentError, LevelError, MissingKeyError, ScaleError, UnsupportedError } from '../errors/errors.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import type { BaseCiphertext, BasePlaintext, CiphertextMeta } from './base-handle.ts'
import { assertWeights, combinationMeta, missingScale } from './combination-checks.ts'
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
  LinearTransformsOptions,
  ProductCombinationOptions,
  SlotEstimate,
  WeightMatrix,
} from './engine.ts'
import { EngineArithmetic } from './engine-arithmetic.ts'
import { normalizeSteps } from './galois.ts'
import type { Ciphertext, Plaintext } from './handles.ts'
import { type KeyNeed, type KeyRequest, nameMissingKey, requestServes } from './keys.ts'
import type { PreparedLinearTransform } from './linear-transform.ts'
import { assertRaisable, fittingScale, metaOf, productMeta, rescaledMeta } from './operand-checks.ts'
import { Operands } from './operands.ts'
import { type Scalar, type SlotSource, scalarParts, slotCount } from './slot-values.ts'
import { SyncLane } from './sync-lane.ts'
import { assertRaising, stepsOf, transformedMeta } from './transform-checks.ts'

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
  readonly #operands: Operands<C, P>

  constructor(parameters: AnyParameters, owner?: object) {
    super()
    this.parameters = parameters
    this.#operands = new Operands(parameters, owner ?? this)
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
    const [x, y, meta] = this.#operands.pair(a, b, 'add')
    return this.doAdd(x, y, meta)
  }
  sub(a: Ciphertext, b: Ciphertext): Ciphertext {
    const [x, y, meta] = this.#operands.pair(a, b, 'sub')
    return this.doSub(x, y, meta)
  }
  sum(terms: readonly Ciphertext[]): Ciphertext {
    const first = terms[0]
    if (first === undefined) throw new InvalidArgumentError('sum: at least one ciphertext is needed')
    const meta = this.#operands.sumMeta(first, terms, 'sum')
    return this.doSum(terms as readonly C[], meta)
  }
  negate(a: Ciphertext): Ciphertext {
    const x = this.#operands.own(a, 'negate')
    return this.doNegate(x, metaOf(x))
  }
  addPlain(a: Ciphertext, b: Plaintext): Ciphertext {
    const [x, y, meta] = this.#operands.plainPair(a, b, 'addPlain', true)
    return this.doAddPlain(x, y, meta)
  }
  subPlain(a: Ciphertext, b: Plaintext): Ciphertext {
    const [x, y, meta] = this.#operands.plainPair(a, b, 'subPlain', true)
    return this.doSubPlain(x, y, meta)
  }
  mulPlain(a: Ciphertext, b: Plaintext): Ciphertext {
    const [x, y, meta] = this.#operands.plainPair(a, b, 'mulPlain', false)
    return this.doMulPlain(x, y, {
      ...meta,
      scale: fittingScale(this.parameters, meta.scale * y.scale, meta.level, 'mulPlain'),
    })
  }
  addScalar(a: Ciphertext, value: Scalar): Ciphertext {
    const x = this.#operands.own(a, 'addScalar')
    const { re, im } = scalarParts(value)
    return this.doAddScalar(x, re, im, metaOf(x))
  }
  mulScalar(a: Ciphertext, value: Scalar, scale = this.#operands.weightScale(a)): Ciphertext {
    const x = this.#operands.own(a, 'mulScalar')
    const { re, im } = scalarParts(value)
    if (!(Number.isFinite(scale) && scale >= 1))
      throw new ScaleError(`mulScalar: a scale must be finite and at least 1, got ${scale}`)
    return this.doMulScalar(x, re, im, scale, {
      ...metaOf(x),
      scale: fittingScale(this.parameters, x.scale * scale, x.level, 'mulScalar'),
    })
  }
  mulInteger(a: Ciphertext, value: number): Ciphertext {
    const x = this.#operands.own(a, 'mulInteger')
    if (!Number.isSafeInteger(value))
      throw new InvalidArgumentError(`mulInteger: expected a safe integer, got ${value}`)
    return this.doMulScalar(x, value, 0, 1, metaOf(x))
  }
  mulByI(a: Ciphertext): Ciphertext {
    const x = this.#operands.own(a, 'mulByI')
    return this.doMulByI(x, metaOf(x))
  }
  mul(a: Ciphertext, b: Ciphertext): Ciphertext {
    const x = this.#operands.linear(a, 'mul')
    const y = this.#operands.linear(b, 'mul')
    return this.doMul(x, y, productMeta(this.parameters, x, y, 'mul'))
  }
  square(a: Ciphertext): Ciphertext {
    const x = this.#operands.linear(a, 'square')
    return this.doSquare(x, productMeta(this.parameters, x, x, 'square'))
  }
  mulAccumulate(pairs: readonly (readonly [Ciphertext, Ciphertext])[]): Ciphertext {
    return this.doMulAccumulate(
      pairs as readonly (readonly [C, C])[],
      this.#operands.productsMeta(pairs, 'mulAccumulate'),
    )
  }
  relinearize(a: Ciphertext): Ciphertext {
    const x = this.#operands.own(a, 'relinearize')
    if (x.degree === 2) this.requireKey({ kind: 'relinearization', level: x.level }, 'relinearize')
    return this.doRelinearize(x, { ...metaOf(x), degree: 1 })
  }
  relinearizeRescale(a: Ciphertext): Ciphertext {
    const x = this.#operands.own(a, 'relinearizeRescale')
    const meta = rescaledMeta(this.parameters, x, 'relinearizeRescale')
    if (x.degree === 1) return this.doRescale(x, meta)
    this.requireKey({ kind: 'relinearization', level: x.level }, 'relinearizeRescale')
    return this.doRelinearizeRescale(x, { ...meta, degree: 1 })
  }
  rescale(a: Ciphertext): Ciphertext {
    const x = this.#operands.own(a, 'rescale')
    return this.doRescale(x, rescaledMeta(this.parameters, x, 'rescale'))
  }
  dropLevel(a: Ciphertext, level: number): Ciphertext {
    const x = this.#operands.own(a, 'dropLevel')
    this.parameters.limbsAt(level)
    if (level > x.level) throw new LevelError(`dropLevel: cannot raise level ${x.level} to ${level}`)
    fittingScale(this.parameters, x.scale, level, 'dropLevel')
    return this.doDropLevel(x, { ...metaOf(x), level })
  }
  modRaise(a: Ciphertext, level: number = this.parameters.maxLevel): Ciphertext {
    const x = this.#raisable(a, level, 'modRaise')
    this.requireKey({ kind: 'encapsulation', level }, 'modRaise')
    return this.doModRaise(x, { ...metaOf(x), level, slots: this.parameters.maxSlots })
  }
  raiseTransforms(inputs: readonly Ciphertext[], transform: PreparedLinearTransform): Ciphertext[] {
    const { level } = transform
    if (inputs.length === 0) throw new InvalidArgumentError('raiseTransforms: at least one ciphertext is needed')
    const low = inputs.map((a) => this.#raisable(a, level, 'raiseTransforms'))
    assertRaising(this.parameters, transform)
    const metas = low.map((x) => {
      const raised = { ...metaOf(x), level, slots: this.parameters.maxSlots }
      const product = this.#productMeta(raised, transform, 'raiseTransforms')
      return { raised, product, result: rescaledMeta(this.parameters, product, 'raiseTransforms') }
    })
    const steps = [...stepsOf(transform)].sort((p, q) => p - q)
    this.requireKey({ kind: 'encapsulation', level, steps }, 'raiseTransforms')
    return this.doRaiseTransforms(low, transform, metas)
  }
  trace(a: Ciphertext, slots: number): Ciphertext {
    const x = this.#operands.linear(a, 'trace')
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
    const x = this.#operands.linear(a, 'rotate')
    const normal = steps.map((s) => {
      if (!Number.isSafeInteger(s)) throw new InvalidArgumentError(`rotate: steps must be an integer, got ${s}`)
      return normalizeSteps(s, x.slots)
    })
    for (const s of normal) if (s !== 0) this.requireKey({ kind: 'rotation', steps: s, level: x.level }, 'rotate')
    return this.doRotateHoisted(x, normal, metaOf(x))
  }
  conjugate(a: Ciphertext): Ciphertext {
    const x = this.#operands.linear(a, 'conjugate')
    this.requireKey({ kind: 'conjugation', level: x.level }, 'conjugate')
    return this.doConjugate(x, metaOf(x))
  }
  linearTransform(a: Ciphertext, transform: PreparedLinearTransform): Ciphertext {
    const x = this.#operands.linear(a, 'linearTransform')
    return this.doLinearTransform(x, transform, this.#transformedMeta(x, transform, 'linearTransform'))
  }
  linearTransformRescale(a: Ciphertext, transform: PreparedLinearTransform): Ciphertext {
    return this.#transforms([a], transform, true, 'linearTransformRescale')[0]!
  }
  linearTransforms(
    inputs: readonly Ciphertext[],
    transform: PreparedLinearTransform,
    { rescale = false }: LinearTransformsOptions = {},
  ): Ciphertext[] {
    return this.#transforms(inputs, transform, rescale, 'linearTransforms')
  }
  matrixProduct(inputs: readonly Ciphertext[], weights: WeightMatrix, scale?: number): Ciphertext[] {
    const first = inputs[0]
    if (first === undefined) throw new InvalidArgumentError('matrixProduct: at least one input is needed')
    assertWeights(weights, inputs.length)
    const meta = this.#operands.sumMeta(first, inputs, 'matrixProduct')
    const weightScale = scale ?? this.#operands.weightScale(first)
    if (!(Number.isFinite(weightScale) && weightScale >= 1))
      throw new ScaleError(`matrixProduct: a scale must be finite and at least 1`)
    const result = {
      ...meta,
      scale: fittingScale(this.parameters, meta.scale * weightScale, meta.level, 'matrixProduct'),
    }
    return this.doMatrixProduct(inputs as readonly C[], weights, weightScale, result)
  }

  linearCombination(terms: readonly LinearTerm[], scale: number, constant: Scalar = 0): Ciphertext {
    const parts = this.#operands.scaledTerms(terms, terms[0]?.ciphertext, scale, 'linearCombination')
    const ciphertexts = parts.map(({ ciphertext }) => ciphertext)
    const meta = combinationMeta(this.parameters, ciphertexts, scale, 'linearCombination')
    return this.doLinearCombination(parts, scalarParts(constant), meta)
  }
  productCombination(
    pairs: readonly (readonly [Ciphertext, Ciphertext])[],
    terms: readonly LinearTerm[],
    scale: number,
    { by = 1, constant = 0 }: ProductCombinationOptions = {},
  ): Ciphertext {
    const meta = this.#operands.productsMeta(pairs, 'productCombination')
    const parts = this.#operands.scaledTerms(terms, meta, scale, 'productCombination')
    const products = { pairs: pairs as readonly (readonly [C, C])[], meta }
    const all = [meta, ...parts.map(({ ciphertext }) => ciphertext)]
    return this.doProductCombination(
      { ...products, ...scalarParts(by), scale: missingScale(meta, meta, scale, 'productCombination') },
      parts,
      scalarParts(constant),
      combinationMeta(this.parameters, all, scale, 'productCombination'),
    )
  }

  declareMagnitude(_a: Ciphertext, _rootMeanSquare: number): void {}
  declarePeriodic(_a: Ciphertext): void {}
  declareError(_a: Ciphertext, _rootMeanSquare: number, _betweenCopies?: number): void {}
  estimate(_a: Ciphertext): SlotEstimate | undefined {
    return undefined
  }

  hasKey(need: KeyNeed): boolean {
    return requestServes(this.loadedKeys, need)
  }

  /** Throws MissingKeyError unless a loaded key serves the need; the plan engine records it instead. */
  protected requireKey(need: KeyNeed, operation: string): void {
    if (this.hasKey(need)) return
    throw new MissingKeyError(
      `${operation}: no ${nameMissingKey(need)} at level >= ${need.level} is loaded; generate keys from the plan's keyRequest`,
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

  #raisable(a: Ciphertext, level: number, operation: string): C {
    const x = this.#operands.linear(a, operation)
    assertRaisable(this.parameters, x, level, operation)
    return x
  }
  #transforms(
    inputs: readonly Ciphertext[],
    transform: PreparedLinearTransform,
    rescales: boolean,
    operation: string,
  ): Ciphertext[] {
    if (inputs.length === 0) throw new InvalidArgumentError(`${operation}: at least one ciphertext is needed`)
    const linear = inputs.map((a) => this.#operands.linear(a, operation))
    const metas = linear.map((x) => this.#transformedMeta(x, transform, operation))
    const results = rescales ? metas.map((meta) => rescaledMeta(this.parameters, meta, operation)) : undefined
    return this.doLinearTransforms(linear, transform, metas, results)
  }
  /** Of the product, when the transform fits the ciphertext and keys for its steps are there. */
  #transformedMeta(x: C, transform: PreparedLinearTransform, operation: string): CiphertextMeta {
    const meta = this.#productMeta(metaOf(x), transform, operation)
    for (const steps of stepsOf(transform)) this.requireKey({ kind: 'rotation', steps, level: x.level }, operation)
    return meta
  }
  #productMeta(x: CiphertextMeta, transform: PreparedLinearTransform, operation: string): CiphertextMeta {
    for (const { terms } of transform.giants)
      for (const term of terms) this.#operands.ownPlain(term.plaintext, operation)
    return transformedMeta(this.parameters, x, transform, operation)
  }
}
