import { InvalidArgumentError } from '../../errors/errors.ts'
import type { Encoder } from '../../port/engine.ts'
import { normalizeSteps } from '../../port/galois.ts'
import type { LinearTransformTerm, PreparedLinearTransform } from '../../port/linear-transform.ts'
import type { Level, Scale } from '../../port/quantities.ts'
import {
  isLazy,
  type LazySlotValues,
  resolveSlots,
  rootMeanSquare,
  type SlotSource,
  slotCount,
  toComplex,
} from '../../port/slot-values.ts'
import { Pacer } from '../pacer.ts'
import type { DiagonalMatrix } from './diagonal-matrix.ts'
import { chooseSplit, defaultSplitCosts, type Split, type SplitCosts, splitSteps } from './split.ts'

/** Options of {@link prepareLinearTransform}. */
export interface LinearTransformOptions {
  /** Level of the ciphertexts that it will be applied to; the result is one below after rescaling. */
  readonly level: Level
  /** Scale of the diagonals. Default: rescaling the product of a nominal ciphertext lands on the nominal scale below. */
  readonly scale?: Scale
  /** Default: the cheapest. 'none': no giant steps. */
  readonly split?: Split | 'none'
  /** Prices for choosing the split. Default: {@link defaultSplitCosts}. */
  readonly costs?: SplitCosts
  /** Diagonals for a single use, or of which there are many: see `EncodeOptions`. Default false. */
  readonly deferred?: boolean
  /** Stops the encoding with CancelledError. */
  readonly signal?: AbortSignal
}

/**
 * Encodes a matrix for `engine.linearTransform` at a level: each diagonal rotated back by its giant step, special primes
 * included. Values are made lazily, diagonal by diagonal, and diagonals known to be zero are left out.
 *
 * @returns a transform to be disposed of; apply it to ciphertexts of `level` and rescale
 * @throws InvalidArgumentError when all diagonals are zero or do not fit; CancelledError through the signal
 * @example
 * ```ts
 * import { createClearEngine, createParameters, diagonalsFromDense, prepareLinearTransform } from '@he-ml/ckks-core'
 * const engine = createClearEngine(createParameters({ logN: 13, levels: 2, scaleBits: 30 }))
 * const matrix = diagonalsFromDense({ rows: 2, columns: 2, re: Float64Array.of(1, 2, 3, 4) })
 * const transform = await prepareLinearTransform(engine, matrix, { level: 2 })
 * const x = engine.encryptClear(Float64Array.of(5, 6))
 * console.log(engine.readClear(engine.rescale(engine.linearTransform(x, transform))).re) // 17, 39
 * transform.dispose()
 * ```
 */
export async function prepareLinearTransform(
  engine: Encoder,
  matrix: DiagonalMatrix,
  options: LinearTransformOptions,
): Promise<PreparedLinearTransform> {
  const { level, signal, deferred = false } = options
  const { parameters } = engine
  const { slots } = matrix
  const scale = options.scale ?? weightScale(engine, level)
  const pacer = new Pacer('prepareLinearTransform', signal ? { signal } : {})
  const diagonals = new Map<number, SlotSource>()
  for (const [step, source] of matrix.diagonals) {
    const period = slotCount(source, parameters.maxSlots)
    if (period > slots)
      throw new InvalidArgumentError(
        `linear transform: diagonal ${step} has ${period} values, more than ${slots} slots`,
      )
    const normal = normalizeSteps(step, slots)
    if (diagonals.has(normal))
      throw new InvalidArgumentError(`linear transform: diagonal ${step} is given twice (modulo ${slots} slots)`)
    if (!isZero(source)) diagonals.set(normal, source)
  }
  const costs = options.costs ?? defaultSplitCosts(parameters, level)
  const split =
    options.split === 'none'
      ? { length: slots, offset: 0 }
      : (options.split ?? chooseSplit(diagonals.keys(), slots, costs))
  checkSplit(split, slots)
  if (diagonals.size === 0) throw new InvalidArgumentError('linear transform: the matrix has no diagonals')

  const giants = new Map<number, LinearTransformTerm[]>()
  const dispose = () => {
    for (const terms of giants.values()) for (const term of terms) term.plaintext.dispose()
  }
  const turned = new ComplexScratch(Math.min(slots, parameters.maxSlots))
  try {
    for (const { step, baby, giant } of splitSteps(diagonals.keys(), slots, split)) {
      await pacer.step()
      const rotated = rotatedBack(diagonals.get(step)!, giant, turned)
      const plaintext = engine.encode(rotated, { level, scale, extended: true, deferred })
      const terms = giants.get(giant)
      if (terms) terms.push({ step: baby, plaintext })
      else giants.set(giant, [{ step: baby, plaintext }])
    }
  } catch (error) {
    dispose()
    throw error
  }
  return {
    slots,
    level,
    scale,
    giants: [...giants].map(([step, terms]) => ({ step, terms })).sort((a, b) => a.step - b.step),
    dispose,
    [Symbol.dispose]: dispose,
  }
}

function weightScale({ parameters }: Encoder, level: number): number {
  if (level < 1) return parameters.scaleAt(level)
  return (parameters.groupProduct(level) * parameters.scaleAt(level - 1)) / parameters.scaleAt(level)
}

function checkSplit({ length, offset }: Split, slots: number): void {
  if (
    !(
      Number.isInteger(length) &&
      length >= 1 &&
      length <= slots &&
      Number.isInteger(offset) &&
      offset >= 0 &&
      offset < length
    )
  )
    throw new InvalidArgumentError(
      `linear transform: a split needs 1 <= length <= ${slots} and 0 <= offset < length, got ${length} and ${offset}`,
    )
}

function isZero(source: SlotSource): boolean {
  if (isLazy(source)) return false
  const { re, im } = toComplex(source)
  return re.every((x) => x === 0) && (im === undefined || im.every((x) => x === 0))
}

/** Vectors for all diagonals, one after the other: thousands of their own would have the garbage collected again and again. */
class ComplexScratch {
  readonly re: Float64Array
  #im: Float64Array | undefined
  constructor(slots: number) {
    this.re = new Float64Array(slots)
  }
  get im(): Float64Array {
    this.#im ??= new Float64Array(this.re.length)
    return this.#im
  }
}

/** The diagonal rotated to the right by `giant`, made in `turned` when asked for. */
function rotatedBack(source: SlotSource, giant: number, turned: ComplexScratch): SlotSource {
  const period = isLazy(source) ? source.slots : toComplex(source).re.length
  const shift = giant % period
  if (shift === 0) return source
  const turn = (v: Float64Array, scratch: Float64Array) => {
    const out = scratch.subarray(0, period)
    out.set(v.subarray(0, period - shift), shift)
    out.set(v.subarray(period - shift), 0)
    return out
  }
  const magnitude = isLazy(source) ? source.magnitude : rootMeanSquare(toComplex(source))
  const lazy: LazySlotValues = {
    slots: period,
    values: () => {
      const { re, im } = toComplex(resolveSlots(source))
      return im ? { re: turn(re, turned.re), im: turn(im, turned.im) } : turn(re, turned.re)
    },
  }
  return magnitude === undefined ? lazy : { ...lazy, magnitude }
}
