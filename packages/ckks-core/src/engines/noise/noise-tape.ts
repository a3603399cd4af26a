/**
 * Errors through a computation, to first order. Every step of a circuit adds a small independent error of its own, and what
 * that error does to the result is the derivative of the result by this step: one reverse sweep over the recorded steps
 * gives all derivatives at once (reverse-mode differentiation), at every sample of the values. Errors that reach the result
 * on several paths so add up, or cancel, as they do in reality: an error d of x makes p'(x) d of a polynomial, however
 * many steps its evaluation has. A step-by-step rule, which must take the operands of each step for independent, cannot
 * know that. Complex slots with complex errors throughout: what an error d becomes is a d + b conj(d), b being nothing until a
 * step is conjugated. See docs/notes/noise-model.md.
 */
import { InvalidArgumentError } from '../../errors/errors.ts'
import { type ComplexVector, type SlotValues, toComplex } from '../../port/slot-values.ts'
import { normalWeights } from './samples.ts'

/** A recorded step. */
export type TapeStep = number & { readonly __brand: 'TapeStep' }

/** A constant times a step. */
export interface LinearTerm {
  readonly step: TapeStep
  readonly re: number
  readonly im: number
  /** By how much the constant itself is wrong (it is rounded when it is encoded). Default 0. */
  readonly rounding?: number
}

type Halves = Required<ComplexVector>

/** d(this step) / d(operand): a constant, or one number per sample. */
interface Edge {
  readonly from: TapeStep
  readonly by: { readonly re: number; readonly im: number } | Halves
  /** This step is the operand's conjugate. */
  readonly conjugated?: boolean
}

/** What an error d of a step makes of the result: direct d + mirrored conj(d). */
interface Adjoint {
  readonly direct: Halves
  mirrored?: Halves
}

interface Step {
  readonly values: Halves
  readonly edges: readonly Edge[]
  /** Root mean square of the error made here, the same at every sample. */
  readonly error: number
  /** Errors made here in proportion to other steps' values: those of rounded constants. */
  readonly relative: readonly { readonly of: Halves; readonly rounding: number }[]
}

/**
 * A list of steps with their values at some samples of the input. Steps are made by {@link NoiseTape.input},
 * {@link NoiseTape.combine}, {@link NoiseTape.products}, {@link NoiseTape.conjugate} and {@link NoiseTape.disturb}; {@link NoiseTape.error} then tells
 * the error of any of them. Circuits written on the port are recorded by running them on a `TapeEngine`.
 *
 * @example
 * ```ts no-run
 * const tape = new NoiseTape(64)
 * const x = tape.input(Float64Array.from({ length: 64 }, (_, i) => Math.cos(i)), 1e-9)
 * const square = tape.disturb(tape.products([[x, x]]), 1e-10)
 * const y = tape.combine([{ step: square, re: 2, im: 0 }], -1)
 * console.log(tape.error(y), tape.gain(y, x)) // 2.8e-9 and 2.8, the root mean square of 4 x
 * ```
 */
export class NoiseTape {
  /** How many samples every step's values have. */
  readonly samples: number
  readonly #weights: Float64Array
  readonly #steps: Step[] = []

  /**
   * @param weights how often each sample occurs, in any unit (default: all equally often)
   * @throws InvalidArgumentError unless `samples` is a positive integer and the weights fit
   */
  constructor(samples: number, weights?: Float64Array) {
    if (!(Number.isInteger(samples) && samples > 0))
      throw new InvalidArgumentError(`a noise tape needs at least one sample, got ${samples}`)
    this.samples = samples
    this.#weights = normalWeights(samples, weights)
  }

  /**
   * A value that comes from outside, with the root mean square of its error (default 0).
   * @throws InvalidArgumentError for a wrong number of samples, or for an error that is negative or not finite
   */
  input(values: SlotValues, error = 0): TapeStep {
    const { re, im = new Float64Array(re.length) } = toComplex(values)
    if (re.length !== this.samples || im.length !== this.samples)
      throw new InvalidArgumentError(`noise tape: expected ${this.samples} samples, got ${re.length} and ${im.length}`)
    return this.#record({ values: { re, im }, edges: [], error: checked(error), relative: [] })
  }

  /** The sum of constants times steps, and a constant. */
  combine(terms: readonly LinearTerm[], constant: number | { readonly re: number; readonly im: number } = 0): TapeStep {
    const { re, im } = typeof constant === 'number' ? { re: constant, im: 0 } : constant
    const values = { re: new Float64Array(this.samples).fill(re), im: new Float64Array(this.samples).fill(im) }
    for (const term of terms) addProduct(values, this.#at(term.step).values, term)
    return this.#record({
      values,
      edges: terms.map(({ step, re, im }) => ({ from: step, by: { re, im } })),
      error: 0,
      relative: terms.flatMap(({ step, rounding = 0 }) => {
        return rounding === 0 ? [] : [{ of: this.#at(step).values, rounding }]
      }),
    })
  }

  /** The sum of products of pairs; a square is a pair of one step with itself. */
  products(pairs: readonly (readonly [TapeStep, TapeStep])[]): TapeStep {
    const values = { re: new Float64Array(this.samples), im: new Float64Array(this.samples) }
    const edges = pairs.flatMap(([a, b]): Edge[] => {
      const x = this.#at(a).values
      const y = this.#at(b).values
      addProduct(values, x, y)
      return [
        { from: a, by: y },
        { from: b, by: x },
      ]
    })
    return this.#record({ values, edges, error: 0, relative: [] })
  }

  /** The complex conjugate. */
  conjugate(step: TapeStep): TapeStep {
    const { re, im } = this.#at(step).values
    const edge = { from: step, by: { re: 1, im: 0 }, conjugated: true }
    return this.#record({ values: { re, im: im.map((y) => -y) }, edges: [edge], error: 0, relative: [] })
  }

  /** The same value with an independent error of this root mean square added. @throws InvalidArgumentError if negative */
  disturb(step: TapeStep, error: number): TapeStep {
    const { values } = this.#at(step)
    return this.#record({
      values,
      edges: [{ from: step, by: { re: 1, im: 0 } }],
      error: checked(error),
      relative: [],
    })
  }

  /** Root mean square, over the samples, of the value. */
  magnitude(step: TapeStep): number {
    return this.#rootMeanSquare(this.#at(step).values)
  }

  /** The value at the samples. */
  values(step: TapeStep): ComplexVector {
    return this.#at(step).values
  }

  /** Root mean square, over the samples, of the error of a step. */
  error(step: TapeStep): number {
    let total = 0
    for (const [index, adjoint] of this.#sweep(step).entries()) {
      if (!adjoint) continue
      const { error, relative } = this.#steps[index]!
      for (const half of [adjoint.direct, adjoint.mirrored]) {
        if (!half) continue
        if (error > 0) total += (error * this.#rootMeanSquare(half)) ** 2
        for (const { of, rounding } of relative) total += (rounding * this.#rootMeanSquare(half, of)) ** 2
      }
    }
    return Math.sqrt(total)
  }

  /**
   * Root mean square, over the samples, of d(result) / d(step): the factor by which an error of `step` arrives.
   * @param error whether that error is real, or complex with independent halves (default)
   */
  gain(result: TapeStep, step: TapeStep, error: 'complex' | 'real' = 'complex'): number {
    const adjoint = this.#sweep(result)[step]
    if (!adjoint) return 0
    const { direct, mirrored } = adjoint
    if (!mirrored) return this.#rootMeanSquare(direct)
    if (error === 'complex') return Math.hypot(this.#rootMeanSquare(direct), this.#rootMeanSquare(mirrored))
    return this.#rootMeanSquare({
      re: direct.re.map((x, i) => x + mirrored.re[i]!),
      im: direct.im.map((x, i) => x + mirrored.im[i]!),
    })
  }

  /** d(result) / d(step) for all steps up to the result; nothing where the result does not depend on the step. */
  #sweep(result: TapeStep): (Adjoint | undefined)[] {
    const adjoints: (Adjoint | undefined)[] = new Array(result + 1).fill(undefined)
    const zeros = (): Halves => ({ re: new Float64Array(this.samples), im: new Float64Array(this.samples) })
    this.#at(result)
    adjoints[result] = { direct: { ...zeros(), re: new Float64Array(this.samples).fill(1) } }
    for (let i: number = result; i >= 0; i--) {
      const adjoint = adjoints[i]
      if (!adjoint) continue
      for (const { from, by, conjugated } of this.#steps[i]!.edges) {
        adjoints[from] ??= { direct: zeros() }
        const into = adjoints[from]
        const { direct, mirrored } = adjoint
        if (conjugated) {
          // a conj(d) + b d
          into.mirrored ??= zeros()
          addProduct(into.mirrored, direct, by)
          if (mirrored) addProduct(into.direct, mirrored, by)
          continue
        }
        addProduct(into.direct, direct, by)
        if (!mirrored) continue
        into.mirrored ??= zeros()
        addProduct(into.mirrored, mirrored, conjugateOf(by))
      }
    }
    return adjoints
  }

  /** Over the samples, of |a| or of |a b|. */
  #rootMeanSquare(a: Halves, b?: Halves): number {
    let sum = 0
    for (let i = 0; i < this.samples; i++) {
      const square = a.re[i]! ** 2 + a.im[i]! ** 2
      sum += this.#weights[i]! * square * (b ? b.re[i]! ** 2 + b.im[i]! ** 2 : 1)
    }
    return Math.sqrt(sum)
  }

  #record(step: Step): TapeStep {
    return (this.#steps.push(step) - 1) as TapeStep
  }

  #at(step: TapeStep): Step {
    const found = this.#steps[step]
    if (!found) throw new InvalidArgumentError(`noise tape: there is no step ${step}`)
    return found
  }
}

function checked(error: number): number {
  if (!(Number.isFinite(error) && error >= 0))
    throw new InvalidArgumentError(`noise tape: an error must be finite and not negative, got ${error}`)
  return error
}

function conjugateOf({ re, im }: Edge['by']): Edge['by'] {
  if (typeof re === 'number' || typeof im === 'number') return { re: re as number, im: -(im as number) }
  return { re, im: im.map((y) => -y) }
}

/** into += a b, sample by sample. */
function addProduct(into: Halves, a: Halves, b: Edge['by']): void {
  const { re, im } = b
  if (typeof re === 'number' || typeof im === 'number') {
    const [x, y] = [re as number, im as number]
    for (let i = 0; i < into.re.length; i++) {
      into.re[i]! += a.re[i]! * x - a.im[i]! * y
      into.im[i]! += a.re[i]! * y + a.im[i]! * x
    }
    return
  }
  for (let i = 0; i < into.re.length; i++) {
    into.re[i]! += a.re[i]! * re[i]! - a.im[i]! * im[i]!
    into.im[i]! += a.re[i]! * im[i]! + a.im[i]! * re[i]!
  }
}
