/**
 * A lane of an engine whose calls compute at once (clear, plan, seal): every call is passed on, results are counted. Nothing ever
 * waits in a queue, so there is nothing to drain and nothing to cancel; an aborted signal stops the lane at the next call.
 */
import { CancelledError, DisposedError, InvalidArgumentError } from '../errors/errors.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
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
import type { Ciphertext, Plaintext } from './handles.ts'
import type { KeyNeed, KeyRequest } from './keys.ts'
import type { PreparedLinearTransform } from './linear-transform.ts'
import { LiveHandles } from './live-handles.ts'
import type { Level, Scale, Slots } from './quantities.ts'
import type { Scalar, SlotSource } from './slot-values.ts'

/** @throws CancelledError for an aborted signal; InvalidArgumentError for a memory share that is no positive number */
export function checkLaneOptions({ memory, signal }: LaneOptions): void {
  if (memory !== undefined && !(memory > 0))
    throw new InvalidArgumentError(`openLane: memory must be a positive number of bytes, got ${memory}`)
  if (signal?.aborted) throw new CancelledError('openLane: cancelled before', { cause: signal.reason })
}

/** See above; made by `openLane` of engines without a queue. */
export class SyncLane implements Lane {
  readonly engine: Engine
  readonly name: string
  readonly capabilities: EngineCapabilities
  readonly threads: number
  readonly parameters: AnyParameters
  readonly #signal: AbortSignal | undefined
  readonly #handles: LiveHandles
  #operations = 0
  #closed = false

  constructor(engine: Engine, options: LaneOptions = {}) {
    checkLaneOptions(options)
    this.engine = engine
    this.name = engine.name
    this.capabilities = engine.capabilities
    this.threads = engine.threads
    this.parameters = engine.parameters
    this.#signal = options.signal
    this.#handles = new LiveHandles(engine.parameters)
  }

  get loadedKeys(): KeyRequest {
    return this.engine.loadedKeys
  }
  hasKey(need: KeyNeed): boolean {
    return this.engine.hasKey(need)
  }
  openLane(options?: LaneOptions): Lane {
    return this.engine.openLane(options)
  }
  async drain(): Promise<void> {}
  cancel(): void {}
  memory(): EngineMemory {
    return this.#handles.memory()
  }
  progress(): EngineProgress {
    return { queued: 0, done: this.#operations }
  }
  async dispose(): Promise<void> {
    this.#closed = true
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  async exportCiphertext(a: Ciphertext): Promise<Uint8Array> {
    return this.#open().exportCiphertext(a)
  }
  async exportCiphertexts(ciphertexts: readonly Ciphertext[], names?: CiphertextNames): Promise<Uint8Array> {
    return this.#open().exportCiphertexts(ciphertexts, names)
  }
  async importCiphertext(bytes: Uint8Array, expected?: CiphertextExpectations): Promise<Ciphertext> {
    return this.#one(await this.#open().importCiphertext(bytes, expected))
  }
  async importCiphertexts(bytes: Uint8Array, expected?: CiphertextExpectations): Promise<CiphertextFile> {
    const file = await this.#open().importCiphertexts(bytes, expected)
    this.#many(file.ciphertexts)
    return file
  }

  encode(values: SlotSource, options: EncodeOptions): Plaintext {
    return this.#one(this.#open().encode(values, options))
  }
  add(a: Ciphertext, b: Ciphertext): Ciphertext {
    return this.#one(this.#open().add(a, b))
  }
  sub(a: Ciphertext, b: Ciphertext): Ciphertext {
    return this.#one(this.#open().sub(a, b))
  }
  sum(terms: readonly Ciphertext[]): Ciphertext {
    return this.#one(this.#open().sum(terms))
  }
  negate(a: Ciphertext): Ciphertext {
    return this.#one(this.#open().negate(a))
  }
  addPlain(a: Ciphertext, b: Plaintext): Ciphertext {
    return this.#one(this.#open().addPlain(a, b))
  }
  subPlain(a: Ciphertext, b: Plaintext): Ciphertext {
    return this.#one(this.#open().subPlain(a, b))
  }
  mulPlain(a: Ciphertext, b: Plaintext): Ciphertext {
    return this.#one(this.#open().mulPlain(a, b))
  }
  addScalar(a: Ciphertext, value: Scalar): Ciphertext {
    return this.#one(this.#open().addScalar(a, value))
  }
  mulScalar(a: Ciphertext, value: Scalar, scale?: Scale): Ciphertext {
    return this.#one(this.#open().mulScalar(a, value, scale))
  }
  mulInteger(a: Ciphertext, value: number): Ciphertext {
    return this.#one(this.#open().mulInteger(a, value))
  }
  mulByI(a: Ciphertext): Ciphertext {
    return this.#one(this.#open().mulByI(a))
  }
  mul(a: Ciphertext, b: Ciphertext): Ciphertext {
    return this.#one(this.#open().mul(a, b))
  }
  square(a: Ciphertext): Ciphertext {
    return this.#one(this.#open().square(a))
  }
  mulAccumulate(pairs: readonly (readonly [Ciphertext, Ciphertext])[]): Ciphertext {
    return this.#one(this.#open().mulAccumulate(pairs))
  }
  relinearize(a: Ciphertext): Ciphertext {
    return this.#one(this.#open().relinearize(a))
  }
  relinearizeRescale(a: Ciphertext): Ciphertext {
    return this.#one(this.#open().relinearizeRescale(a))
  }
  rescale(a: Ciphertext): Ciphertext {
    return this.#one(this.#open().rescale(a))
  }
  dropLevel(a: Ciphertext, level: Level): Ciphertext {
    return this.#one(this.#open().dropLevel(a, level))
  }
  modRaise(a: Ciphertext, level?: Level): Ciphertext {
    return this.#one(this.#open().modRaise(a, level))
  }
  raiseTransforms(inputs: readonly Ciphertext[], transform: PreparedLinearTransform): Ciphertext[] {
    return this.#many(this.#open().raiseTransforms(inputs, transform))
  }
  trace(a: Ciphertext, slots: Slots): Ciphertext {
    return this.#one(this.#open().trace(a, slots))
  }
  rotate(a: Ciphertext, steps: number): Ciphertext {
    return this.#one(this.#open().rotate(a, steps))
  }
  rotateHoisted(a: Ciphertext, steps: readonly number[]): Ciphertext[] {
    return this.#many(this.#open().rotateHoisted(a, steps))
  }
  conjugate(a: Ciphertext): Ciphertext {
    return this.#one(this.#open().conjugate(a))
  }
  linearTransform(a: Ciphertext, transform: PreparedLinearTransform): Ciphertext {
    return this.#one(this.#open().linearTransform(a, transform))
  }
  linearTransformRescale(a: Ciphertext, transform: PreparedLinearTransform): Ciphertext {
    return this.#one(this.#open().linearTransformRescale(a, transform))
  }
  linearTransforms(
    inputs: readonly Ciphertext[],
    transform: PreparedLinearTransform,
    options?: LinearTransformsOptions,
  ): Ciphertext[] {
    return this.#many(this.#open().linearTransforms(inputs, transform, options))
  }
  matrixProduct(inputs: readonly Ciphertext[], weights: WeightMatrix, scale?: Scale): Ciphertext[] {
    return this.#many(this.#open().matrixProduct(inputs, weights, scale))
  }
  linearCombination(terms: readonly LinearTerm[], scale: Scale, constant?: Scalar): Ciphertext {
    return this.#one(this.#open().linearCombination(terms, scale, constant))
  }
  productCombination(
    pairs: readonly (readonly [Ciphertext, Ciphertext])[],
    terms: readonly LinearTerm[],
    scale: Scale,
    options?: ProductCombinationOptions,
  ): Ciphertext {
    return this.#one(this.#open().productCombination(pairs, terms, scale, options))
  }
  declareMagnitude(a: Ciphertext, rootMeanSquare: number): void {
    this.engine.declareMagnitude?.(a, rootMeanSquare)
  }
  declareError(a: Ciphertext, rootMeanSquare: number, betweenCopies?: number): void {
    this.engine.declareError?.(a, rootMeanSquare, betweenCopies)
  }
  declarePeriodic(a: Ciphertext): void {
    this.engine.declarePeriodic?.(a)
  }
  estimate(a: Ciphertext): SlotEstimate | undefined {
    return this.engine.estimate?.(a)
  }

  #open(): Engine {
    if (this.#closed) throw new DisposedError('the lane was disposed of before')
    if (this.#signal?.aborted) throw new CancelledError('the lane was cancelled', { cause: this.#signal.reason })
    return this.engine
  }
  #one<H extends Ciphertext | Plaintext>(made: H): H {
    this.#operations++
    this.#handles.add(made)
    return made
  }
  #many<H extends Ciphertext>(made: H[]): H[] {
    for (const handle of made) this.#one(handle)
    return made
  }
}
