/**
 * What every refresh begins with, whatever it evaluates: slots become coefficients, level 0 is read at the top (so a multiple of
 * q0 is added to each), coefficients become slots again. The matrices are encoded once.
 */
import { InvalidArgumentError } from '../../errors/errors.ts'
import { EPHEMERAL_WEIGHT } from '../../parameters/ephemeral.ts'
import type { AnyParameters } from '../../parameters/parameters.ts'
import type { Encoder, Evaluator } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import type { PreparedLinearTransform } from '../../port/linear-transform.ts'
import type { Scale, Slots } from '../../port/quantities.ts'
import { prepareLinearTransform } from '../linear-transform/index.ts'
import { Scope, scope } from '../scope.ts'
import { toLevel } from '../to-level.ts'
import { factorMatrix, fourierFactors } from './fourier-factors.ts'

/** What the two transforms of a refresh depend on. */
export interface RaiseShape {
  readonly parameters: AnyParameters
  /** Period of the slot vectors. */
  readonly slots: Slots
  /** Factors of the transforms, a level each. */
  readonly coeffsToSlots: number
  readonly slotsToCoeffs: number
  /** Scale of the values between slotsToCoeffs and modRaise. */
  readonly messageScale: Scale
  /** Whether values may be any number of periods q0 away. */
  readonly periodic?: boolean
  /** Whether modRaise and the first matrix after it are one operation, with short keys of their own; of N/2 slots only. */
  readonly shortKeys?: boolean
  /** By what the raised values, in units of q0, are divided. */
  readonly bound: number
}

export interface PrepareRaiseOptions {
  /** Sizes of values; each has a first matrix of its own, which divides by it. */
  readonly ranges: readonly number[]
  readonly signal?: AbortSignal
  /** After each encoded matrix. */
  readonly onProgress?: (done: number, total: number) => void
}

/**
 * Encodes the matrices.
 * @throws CancelledError through the signal; InvalidArgumentError for a range that is not positive
 */
export async function prepareRaise(
  shape: RaiseShape,
  engine: Encoder & Evaluator,
  { ranges, signal, onProgress }: PrepareRaiseOptions,
): Promise<PreparedRaise> {
  for (const range of ranges)
    if (!(Number.isFinite(range) && range > 0))
      throw new InvalidArgumentError(`bootstrapping: a range must be a positive number, got ${range}`)
  const { slots, parameters } = shape
  const distinct = new Set(ranges)
  const total = shape.slotsToCoeffs + shape.coeffsToSlots + distinct.size - 1
  const made = new Scope()
  let done = 0
  const encode = async (chain: TransformChain, index: number, { factor = 1, split }: EncodingOptions = {}) => {
    const matrix = factorMatrix(chain.factors[index]!, Math.log2(slots), chain.constants[index]! * factor)
    const at = {
      ...{ level: chain.top - index, scale: chain.scales[index]! },
      ...(split ? { split } : {}),
      ...(signal ? { signal } : {}),
    }
    const transform = made.use(await prepareLinearTransform(engine, matrix, at))
    onProgress?.(++done, total)
    return transform
  }
  try {
    const down = transformChain(shape, 'slotsToCoeffs', shape.slotsToCoeffs)
    const up = transformChain(shape, 'coeffsToSlots', parameters.maxLevel)
    const slotsToCoeffs: PreparedLinearTransform[] = []
    for (let i = 1; i < shape.slotsToCoeffs; i++) slotsToCoeffs.push(await encode(down, i))
    const first = new Map<number, PreparedLinearTransform>()
    for (const range of distinct) first.set(range, await encode(down, 0, { factor: 1 / range }))
    const coeffsToSlots: PreparedLinearTransform[] = []
    for (let i = 0; i < shape.coeffsToSlots; i++)
      coeffsToSlots.push(await encode(up, i, i === 0 && raisesShortly(shape) ? { split: 'none' } : {}))
    return new PreparedRaise(shape, { first, slotsToCoeffs, coeffsToSlots }, made)
  } catch (error) {
    made.dispose()
    throw error
  }
}

interface EncodingOptions {
  /** What the matrix is multiplied by; default 1. */
  readonly factor?: number
  readonly split?: 'none'
}

/**
 * Fewer slots than N/2 go through a trace first. Every diagonal of the first factor has a short key, as there are no giant steps: of
 * more than six stages (64 diagonals) they would be dearer than the keys that they replace.
 */
const raisesShortly = ({ shortKeys = false, slots, coeffsToSlots, parameters }: RaiseShape): boolean =>
  shortKeys && slots === parameters.maxSlots && Math.log2(slots) / coeffsToSlots <= MOST_SHORT_STAGES

const MOST_SHORT_STAGES = 6

interface Matrices {
  /** By range. */
  readonly first: ReadonlyMap<number, PreparedLinearTransform>
  /** The others. */
  readonly slotsToCoeffs: readonly PreparedLinearTransform[]
  readonly coeffsToSlots: readonly PreparedLinearTransform[]
}

/** The encoded matrices; belongs to the engine that encoded them. */
export class PreparedRaise implements Disposable {
  readonly shape: RaiseShape
  readonly #matrices: Matrices
  readonly #weights: Scope

  constructor(shape: RaiseShape, matrices: Matrices, weights: Scope) {
    this.shape = shape
    this.#matrices = matrices
    this.#weights = weights
  }

  /** @throws InvalidArgumentError for a range that it was not prepared for */
  assertRange(range: number): void {
    const { first } = this.#matrices
    if (first.has(range)) return
    throw new InvalidArgumentError(
      `bootstrapping: prepared for the ranges ${[...first.keys()].join(', ')}, got ${range}`,
    )
  }

  /**
   * Of each ciphertext half of what stands in the coefficients after modRaise, in units of q0 and over `bound`, in complex slots at
   * `maxLevel - coeffsToSlots`. Each matrix takes all of them through at a time; the bits are those of one alone.
   * @throws LevelError below level `slotsToCoeffs`; MissingKeyError; InvalidArgumentError for a longer period or an unknown range
   */
  raiseTogether(engine: Evaluator, inputs: readonly Ciphertext[], range: number): Ciphertext[] {
    const { slots, parameters, slotsToCoeffs, bound, periodic } = this.shape
    this.assertRange(range)
    const long = inputs.find((a) => a.slots > slots)
    if (long)
      throw new InvalidArgumentError(`bootstrapping: made for ${slots} slots, got a ciphertext of period ${long.slots}`)
    const down = [this.#matrices.first.get(range)!, ...this.#matrices.slotsToCoeffs]
    return scope((use) => {
      const through = (start: Ciphertext[], transforms: readonly PreparedLinearTransform[]) =>
        transforms.reduce<Ciphertext[]>((those, transform) => {
          if (!periodic) return engine.linearTransforms(those, transform, { rescale: true }).map((x) => use(x))
          const products = engine.linearTransforms(those, transform).map((product) => use(product))
          for (const product of products) engine.declarePeriodic?.(product)
          return products.map((product) => use(engine.rescale(product)))
        }, start)
      const up = (lowest: Ciphertext[]): Ciphertext[] => {
        const [first, ...others] = this.#matrices.coeffsToSlots
        if (raisesShortly(this.shape)) {
          const raised = engine.raiseTransforms(lowest, first!)
          return through(
            raised.map((one) => use(one)),
            others,
          )
        }
        const raised = lowest.map((low) => {
          const high = use(engine.modRaise(low, parameters.maxLevel))
          return slots < high.slots ? use(engine.trace(high, slots)) : high
        })
        return through(raised, [first!, ...others])
      }
      const lowest = through(
        inputs.map((a) => use(toLevel(engine, a, slotsToCoeffs))),
        down,
      )
      const results = up(lowest)
      for (const result of results) engine.declareMagnitude?.(result, raisedMagnitude(bound) / Math.SQRT2)
      return results
    })
  }

  /** Gives the matrices back. */
  dispose(): void {
    this.#weights.dispose()
  }
  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Root mean square of a real part after coeffsToSlots, doubled: sums of 1 + weight uniform numbers, over the bound. */
export const raisedMagnitude = (bound: number): number => Math.sqrt((1 + EPHEMERAL_WEIGHT) / 12) / bound

/** The matrices of one direction: what they are multiplied by and the scales their diagonals are encoded at. */
interface TransformChain {
  readonly factors: ReturnType<typeof fourierFactors>
  readonly top: number
  readonly constants: readonly number[]
  readonly scales: readonly Scale[]
}

/**
 * Ciphertexts keep the nominal scale of each level between matrices, so the diagonals' scales follow; the constant of the
 * whole chain is spread so that all diagonals are equally large integers, none of them rounded more coarsely than the others.
 */
function transformChain(shape: RaiseShape, direction: 'slotsToCoeffs' | 'coeffsToSlots', top: number): TransformChain {
  const { parameters, slots, messageScale, bound } = shape
  const up = direction === 'coeffsToSlots'
  const count = shape[direction]
  const factors = fourierFactors(Math.log2(slots), count, up)
  const scaleIn = up ? messageScale : parameters.scaleAt(top)
  const scaleOut = up ? parameters.scaleAt(top - count) : messageScale
  const scaleAfter = (i: number) => (i === count - 1 ? scaleOut : parameters.scaleAt(top - i - 1))
  const scales = factors.map(
    (_, i) => (parameters.groupProduct(top - i) * scaleAfter(i)) / (i === 0 ? scaleIn : scaleAfter(i - 1)),
  )
  // from coefficients over the message's scale to multiples of q0 over the bound; the real part is doubled when it is taken,
  // and trace multiplies by the number of copies
  const copies = parameters.maxSlots / slots
  const constant = up ? messageScale / (2 * parameters.groupProduct(0) * bound * copies) : 1
  const sizes = factors.map(({ from, to, inverse }) => (inverse ? 2 ** (from - to - 1) : 1))
  const integers = scales.map((scale, i) => scale * sizes[i]!)
  const mean = (constant * integers.reduce((a, b) => a * b, 1)) ** (1 / count)
  return { factors, top, scales, constants: integers.map((size) => mean / size) }
}
