/**
 * The port: the only way a circuit touches ciphertexts. Four engines implement it (native, seal, plan, clear), all through
 * `BaseEngine`, which checks operands once for all. A call returns at once with a handle whose level and scale are right;
 * a wrong level, scale, degree or missing key throws at the line that made it.
 */
import type { AnyParameters } from '../parameters/parameters.ts'
import type { Ciphertext, Plaintext } from './handles.ts'
import type { KeyNeed, KeyRequest } from './keys.ts'
import type { PreparedLinearTransform } from './linear-transform.ts'
import type { Level, Scale, Slots } from './quantities.ts'
import type { Scalar, SlotSource } from './slot-values.ts'

/** Options of `productCombination`. */
export interface ProductCombinationOptions {
  /** What the sum of products is multiplied by. Default 1. */
  readonly by?: Scalar
  /** What is added. Default 0. */
  readonly constant?: Scalar
}

/** Options of `linearTransforms`. */
export interface LinearTransformsOptions {
  /** Whether the products are rescaled as well, as by `linearTransformRescale`. Default false. */
  readonly rescale?: boolean
}

/** Where and how to encode. */
export interface EncodeOptions {
  /** Highest level it can be used at. */
  readonly level: Level
  /** What values are multiplied with before they are rounded. */
  readonly scale: Scale
  /** Also make the special primes' limbs, for `linearTransform`. Engines without double hoisting ignore it. */
  readonly extended?: boolean
  /**
   * For `linearTransform` only: extended, but kept as coefficients, with limbs that are made whenever they are used. Takes the
   * memory of one limb (two from scales of 51 bits on), and a number-theoretic transform a limb at each use; the same results.
   * Engines without double hoisting ignore it.
   */
  readonly deferred?: boolean
}

/** Dense real weights, row-major: `data[row * columns + column]`. */
export interface WeightMatrix {
  /** As many as results. */
  readonly rows: number
  /** As many as inputs. */
  readonly columns: number
  /** rows x columns numbers. */
  readonly data: Float64Array
}

/** A ciphertext times a constant: an addend of a linear combination. */
export interface LinearTerm {
  /** Of the same level as the other terms. */
  readonly ciphertext: Ciphertext
  /** What it is multiplied with. */
  readonly by: Scalar
}

/** The half of an engine that makes plaintexts. */
export interface Encoder {
  /** Parameters of every plaintext it makes. */
  readonly parameters: AnyParameters
  /**
   * Encodes one value per slot; a shorter power-of-two vector repeats.
   * @throws InvalidArgumentError for NaN, infinities, wrong lengths or values too large for the modulus at `level`
   */
  encode(values: SlotSource, options: EncodeOptions): Plaintext
}

/** What an engine that estimates says of a handle's slots. */
export interface SlotEstimate {
  /** Root mean square of the slot error, in units of the values. */
  readonly error: number
  /** Root mean square of the slot values. */
  readonly magnitude: number
}

/** The half of an engine that computes: every call gives a new handle, at once. */
export interface Evaluator {
  /** Parameters of every ciphertext it computes with. */
  readonly parameters: AnyParameters

  /** a + b; same level and scale, degrees may differ. */
  add(a: Ciphertext, b: Ciphertext): Ciphertext
  /** a - b; same level and scale. */
  sub(a: Ciphertext, b: Ciphertext): Ciphertext
  /** Sum of ciphertexts, at least one, all of the same level and scale. */
  sum(terms: readonly Ciphertext[]): Ciphertext
  /** -a; level and scale unchanged. */
  negate(a: Ciphertext): Ciphertext
  /** a + b; same scale, b's level at least a's. */
  addPlain(a: Ciphertext, b: Plaintext): Ciphertext
  /** a - b; same scale, b's level at least a's. */
  subPlain(a: Ciphertext, b: Plaintext): Ciphertext
  /** Slot-wise product; result scale a.scale * b.scale; rescale afterwards. */
  mulPlain(a: Ciphertext, b: Plaintext): Ciphertext
  /** Adds a constant to every slot; no level, no scale change. */
  addScalar(a: Ciphertext, value: Scalar): Ciphertext
  /**
   * Times a constant, rounded to a multiple of 1/scale; result scale a.scale * scale; rescale afterwards.
   * @param scale default: the scale at which rescale returns to the nominal scale of the level below
   */
  mulScalar(a: Ciphertext, value: Scalar, scale?: Scale): Ciphertext
  /** Times an integer; exact, scale unchanged. */
  mulInteger(a: Ciphertext, value: number): Ciphertext
  /** Times the imaginary unit; exact, scale unchanged. */
  mulByI(a: Ciphertext): Ciphertext
  /** Slot-wise product, degree 2 (not relinearised), scale the product of scales. Both of degree 1 and the same level. */
  mul(a: Ciphertext, b: Ciphertext): Ciphertext
  /** a a, as `mul`; cheaper. */
  square(a: Ciphertext): Ciphertext
  /** Sum of products without relinearising each; degree 2. All pairs of the same level and product scale. */
  mulAccumulate(pairs: readonly (readonly [Ciphertext, Ciphertext])[]): Ciphertext
  /** Degree 2 back to 1; needs the relinearisation key. A degree-1 operand is returned as a new handle. */
  relinearize(a: Ciphertext): Ciphertext
  /** rescale(relinearize(a)), to the bit, for less than both. */
  relinearizeRescale(a: Ciphertext): Ciphertext
  /** Divides by the level's primes: level - 1, scale / group product. Degree 1 or 2. */
  rescale(a: Ciphertext): Ciphertext
  /** Forgets primes; scale unchanged. */
  dropLevel(a: Ciphertext, level: Level): Ciphertext
  /**
   * Reads a ciphertext of level 0 at a higher level. Its polynomial m becomes m + q0 I, where q0 is the base modulus and I
   * has small integer coefficients (`RAISE_BOUND`): the first step of bootstrapping. On the way the ciphertext passes
   * through an ephemeral sparse secret (sparse-secret encapsulation, ePrint 2022/024). The result has period N/2 and the
   * scale of the operand; its slots are far larger than before. Needs the encapsulation key.
   *
   * @param level default the top
   * @throws LevelError unless the operand is at level 0; SecurityError where the ephemeral secret would not be 128-bit secure;
   *   MissingKeyError; UnsupportedError on engines without bootstrapping
   */
  modRaise(a: Ciphertext, level?: Level): Ciphertext
  /**
   * linearTransformRescale(modRaise(a, transform.level), transform) of ciphertexts, at least one, for a good part of the price: what is raised is no larger than q0, so
   * its rotations take short keys, from the ephemeral secret, which are part of the encapsulation key (`KeyNeed.steps`).
   *
   * @param transform of period N/2, without giant steps
   * @returns ciphertexts at transform.level - 1, in their order
   * @throws InvalidArgumentError for giant steps or a shorter period; and as modRaise and linearTransform
   */
  raiseTransforms(inputs: readonly Ciphertext[], transform: PreparedLinearTransform): Ciphertext[]
  /**
   * Sum of the rotations by all multiples of `slots`: a vector of period `slots`. What had that period already is
   * multiplied by a.slots / slots; the coefficients outside the subring of that period vanish. Needs rotation keys for
   * slots, 2 slots, 4 slots, ... below a.slots. No level.
   * @throws InvalidArgumentError unless `slots` is a power of two up to a.slots; MissingKeyError
   */
  trace(a: Ciphertext, slots: Slots): Ciphertext
  /** Left rotation of the slots by `steps` (any integer, modulo a.slots). Degree 1. */
  rotate(a: Ciphertext, steps: number): Ciphertext
  /** Several rotations of one ciphertext, decomposed once. */
  rotateHoisted(a: Ciphertext, steps: readonly number[]): Ciphertext[]
  /** Complex conjugate of every slot. */
  conjugate(a: Ciphertext): Ciphertext
  /** Matrix times slot vector; not rescaled: scale a.scale * transform.scale. */
  linearTransform(a: Ciphertext, transform: PreparedLinearTransform): Ciphertext
  /** rescale(linearTransform(a, transform)), to the bit, for less than both. */
  linearTransformRescale(a: Ciphertext, transform: PreparedLinearTransform): Ciphertext
  /**
   * linearTransform of ciphertexts of one level, at least one, in their order, to the bit. An engine with double hoisting reads keys and
   * diagonals once for all of them, and needs working memory for as many transforms at once.
   */
  linearTransforms(
    inputs: readonly Ciphertext[],
    transform: PreparedLinearTransform,
    options?: LinearTransformsOptions,
  ): Ciphertext[]
  /**
   * rows outputs, each the weighted sum of `columns` inputs by real constants rounded to 1/scale; not rescaled.
   * @param scale default as for mulScalar
   */
  matrixProduct(inputs: readonly Ciphertext[], weights: WeightMatrix, scale?: Scale): Ciphertext[]
  /**
   * The sum of constants times ciphertexts, and a constant, at a scale: each constant is rounded to a multiple of what the scale is
   * above its ciphertext's, coarsely where that is little, as mulScalar does. What mulScalar, sum and addScalar give, in one go.
   * @param terms of one level; degrees may differ
   * @throws ScaleError for a scale below that of a term; LevelError for different levels
   */
  linearCombination(terms: readonly LinearTerm[], scale: Scale, constant?: Scalar): Ciphertext
  /**
   * linearCombination of mulAccumulate(pairs) and of terms, to the bit, in one go; degree 2.
   * @param pairs at least one; of degree 1 and one product scale, and of the terms' level
   * @throws as these do
   */
  productCombination(
    pairs: readonly (readonly [Ciphertext, Ciphertext])[],
    terms: readonly LinearTerm[],
    scale: Scale,
    options?: ProductCombinationOptions,
  ): Ciphertext
  /**
   * Tells an engine that estimates (the plan engine) what a circuit knows of its values: their root mean square. Others
   * ignore it.
   */
  declareMagnitude?(a: Ciphertext, rootMeanSquare: number): void
  /**
   * The same for the error of the slots, where a circuit knows better than a rule that adds up step by step.
   * @param betweenCopies the part of it that differs from copy to copy of a short period; default all of it
   */
  declareError?(a: Ciphertext, rootMeanSquare: number, betweenCopies?: number): void
  /**
   * Tells an engine that guards against values outgrowing their modulus (the clear engine) that these may: what follows depends
   * on them modulo q0 only. Others ignore it.
   */
  declarePeriodic?(a: Ciphertext): void
  /** What an engine that estimates (the plan engine) expects of a ciphertext; nothing from the others. */
  estimate?(a: Ciphertext): SlotEstimate | undefined
  /**
   * Runs a circuit that whoever calls has run before, or will again. An engine that computes nothing (the plan engine) may write
   * down at the first time what it costs, and only count that at the next ones.
   *
   * @param known decides the circuit, together with the input's level, scale, period and degree
   * @param circuit leaves its input and gives back all it makes but its result
   * @returns what the circuit returns, which is new and depends on nothing else; estimates are the caller's to declare
   */
  repeat?(known: CircuitIdentity, input: Ciphertext, circuit: () => Ciphertext): Ciphertext
}

/** What decides a circuit apart from its input. */
export interface CircuitIdentity {
  /** At least one, compared by identity: polynomials, prepared transforms. */
  readonly objects: readonly object[]
  /** Whatever else the circuit depends on, such as levels and scales; compared by value. */
  readonly numbers: readonly number[]
}

/** Bytes held outside the JavaScript heap. */
export interface EngineMemory {
  /** Bytes of live ciphertexts. */
  readonly ciphertexts: number
  /** Bytes of live plaintexts. */
  readonly plaintexts: number
  /** Bytes of loaded keys. */
  readonly keys: number
  /** Bytes of working memory. */
  readonly scratch: number
  /** All of these together. */
  readonly total: number
  /** The most that there ever was at once. */
  readonly peak: number
}

/** How far the engine's queue is. */
export interface EngineProgress {
  /** Operations that were called and have not ended. */
  readonly queued: number
  /** Operations that have ended, those that failed too. */
  readonly done: number
}

/** What an engine can do, and what it cannot. */
export interface EngineCapabilities {
  /** Most rotation keys that can be loaded at once. */
  readonly maxRotationKeys: number
  /** Whether linear transforms are fused with double hoisting. */
  readonly doubleHoisting: boolean
}

/** What the file of ciphertexts names. A client refuses results without them, and publishes none of a request it does not know. */
export interface CiphertextNames {
  /** Content hash of the plan. */
  readonly plan?: string
  /** Name of the secret key. */
  readonly keyId?: string
  /** Id of the encrypted input, which the server copies from it to the result. */
  readonly request?: string
}

/** What a file of ciphertexts held. */
export interface CiphertextFile {
  /** New handles, in the file's order. */
  readonly ciphertexts: Ciphertext[]
  /** To be given to `exportCiphertexts` with the result. Empty where the format has no room for them. */
  readonly names: CiphertextNames
}

/** What a reader of a file of ciphertexts knows beforehand. */
export interface CiphertextExpectations {
  /** Content hash of the plan that the file must name. */
  readonly plan?: string
  /** The period, where the format does not say it (SEAL's); default N/2. Others ignore it. */
  readonly slots?: Slots
}

/** What executes circuits on ciphertexts that it cannot read. */
export interface Engine extends Encoder, Evaluator, AsyncDisposable {
  /** 'native', 'seal', 'plan' or 'clear'. */
  readonly name: string
  /** What it can do. */
  readonly capabilities: EngineCapabilities
  /** Operations that are computed at a time: worker threads, or 1 where calls compute at once. */
  readonly threads: number
  /** The keys loaded, as needs they can serve. */
  readonly loadedKeys: KeyRequest
  /** Whether a loaded key serves this need; with a key store, whether it is resident. */
  hasKey(need: KeyNeed): boolean
  /** A scope of its own on this engine; see {@link Lane}. @throws DisposedError; CancelledError for an aborted signal */
  openLane(options?: LaneOptions): Lane
  /** Waits for everything queued so far by calls on this object (not for lanes). @throws the first failure of these */
  drain(): Promise<void>
  /** Drops what calls on this object queued and what has not started; those handles fail with CancelledError. Lanes go on. */
  cancel(): void
  /** Of the engine with all its lanes. */
  memory(): EngineMemory
  /** Of what calls on this object queued. */
  progress(): EngineProgress
  /** The ciphertext as a file of ours (or SEAL's own, for the seal engine). */
  exportCiphertext(a: Ciphertext): Promise<Uint8Array>
  /**
   * The reverse; everything is validated.
   *
   * @throws FormatError, also for a file of several; ParameterMismatchError
   */
  importCiphertext(bytes: Uint8Array, expected?: CiphertextExpectations): Promise<Ciphertext>
  /**
   * Several ciphertexts as one file; at least one. They are exported side by side on the engine's threads.
   * @param names default: the loaded keys' `keyId`. SEAL's format has no room for any
   */
  exportCiphertexts(ciphertexts: readonly Ciphertext[], names?: CiphertextNames): Promise<Uint8Array>
  /**
   * All ciphertexts of a file, or none.
   * @throws FormatError; ParameterMismatchError for other parameters, another plan or another secret key than the loaded keys'
   */
  importCiphertexts(bytes: Uint8Array, expected?: CiphertextExpectations): Promise<CiphertextFile>
  /** Closes the engine with all its lanes: cancels what has not started, waits for what has. Twice is harmless. */
  dispose(): Promise<void>
}

/** How to open a lane. */
export interface LaneOptions {
  /**
   * Bytes of ciphertexts, plaintexts and working memory made on this lane above which none of its operations starts while
   * another of them runs; default none. Delays, never refuses: a lane always works on at least one operation.
   */
  readonly memory?: number
  /** When it is aborted, the lane is cancelled, and every later call on it throws CancelledError. */
  readonly signal?: AbortSignal
}

/**
 * A lane is a scope of an engine's queue: an engine to whoever holds it, with a queue, failures, progress and a share of the
 * memory of its own. Two runs on two lanes of one engine share its threads and its keys and do not know of each other.
 *
 * Handles belong to the engine, not to the lane: what was made on one lane may be used on every other, and outlives its lane.
 * What one lane queued on a result of another fails when that result fails or is cancelled; so what several runs share (encoded
 * weights) is made on the engine itself, which nobody cancels.
 *
 * Of the engine's calls these speak of the lane alone:
 * - `drain` waits for what was queued here, and throws the first failure of these operations;
 * - `cancel` drops what was queued here and has not started;
 * - `progress` counts what was queued here;
 * - `memory` counts what was made here and lives; keys are the engine's, and 0 here;
 * - `dispose` cancels, waits for what runs, and closes the lane: handles stay valid, calls on the lane throw DisposedError;
 * - `openLane` opens another lane of the same engine.
 */
export interface Lane extends Engine {
  /** Whose lane it is; the owner of all handles. */
  readonly engine: Engine
}
