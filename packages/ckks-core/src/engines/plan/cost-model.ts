/**
 * Seconds per operation. The default model counts what an operation is made of (number-theoretic transforms, basis
 * conversions, element-wise passes) and multiplies by times per element measured on one server core; `pipeline` replaces
 * it by a short calibration on the machine at hand.
 */
import type { AnyParameters } from '../../parameters/parameters.ts'

/** Every kind of work the plan engine counts. */
export const OPERATION_KINDS = [
  'encode',
  'add',
  'addPlain',
  'addScalar',
  'mulScalar',
  'mulPlain',
  'mul',
  'relinearize',
  'relinearizeRescale',
  'rescale',
  'dropLevel',
  'rotate',
  'conjugate',
  'decompose',
  'hoistedRotation',
  'transformBaby',
  'transformTerm',
  'transformGiant',
  'modDown',
  'modDownRescale',
  'matrixProduct',
  'modRaise',
  'raiseTransform',
  'raiseTerm',
] as const

/**
 * `decompose` + n `hoistedRotation` are n rotations of one ciphertext; a fused linear transform is one `decompose`, a
 * `transformBaby` per baby rotation (a key product without division by P), a `transformTerm` per diagonal, a
 * `transformGiant` per giant rotation and one `modDown`, or `modDownRescale` where it is rescaled as well. `matrixProduct` counts
 * multiply-adds. `modRaise` is counted at the level it raises to, both switches included; so is `raiseTransform`, which is modRaise with a
 * transform at once, besides a `raiseTerm` per diagonal.
 */
export type OperationKind = (typeof OPERATION_KINDS)[number]

/** What the cost of an operation may depend on. */
export interface OperationSize {
  /** log2 of the ring degree. */
  readonly logN: number
  /** Ciphertext limbs at the operation's level. */
  readonly limbs: number
  /** Limbs of the special primes. */
  readonly specialLimbs: number
  /** Key-switching digits at the level. */
  readonly digits: number
}

/** Tells the plan engine how long operations take. */
export interface CostModel {
  /** Named in reports and plans. */
  readonly name: string
  /** Threads that `seconds` assumes. */
  readonly threads: number
  /** Seconds of one operation on a degree-1 operand, all threads working; pure, so that results can be remembered. */
  seconds(kind: OperationKind, size: OperationSize): number
}

/** Options of {@link createDefaultCostModel}. */
export interface DefaultCostOptions {
  /** Default 1. */
  readonly threads?: number
  /** Nanoseconds per element and butterfly level of a transform. */
  readonly nttElement?: number
  /** Nanoseconds per element of an element-wise modular product. */
  readonly passElement?: number
  /** Nanoseconds per element and pair of limbs of a basis conversion. */
  readonly convertElement?: number
}

/** Two threads were measured 1.8 times as fast as one. */
const THREAD_EXPONENT = 0.84

/** A cost model from first principles; times are for a vectorised native engine unless the options say otherwise. */
export function createDefaultCostModel(options: DefaultCostOptions = {}): CostModel {
  const { threads = 1, nttElement = 0.095, passElement = 0.69, convertElement = 0.082 } = options
  const unit = 1e-9 / threads ** THREAD_EXPONENT
  return {
    name: 'default',
    threads,
    seconds(kind, { logN, limbs, specialLimbs, digits }) {
      const n = 2 ** logN
      const ntt = n * logN * nttElement
      const pass = n * passElement
      const convert = n * convertElement
      const all = limbs + specialLimbs
      const decompose = digits * all * ntt + limbs * (all - limbs / digits) * convert
      // two products per digit and limb, keys packed to 4 or 6 bytes a residue
      const keyProduct = 1.4 * digits * all * pass
      const modDown = all * ntt + specialLimbs * limbs * convert + limbs * pass
      const keySwitch = decompose + keyProduct + 2 * modDown + 2 * limbs * pass
      const nanoseconds: Record<OperationKind, number> = {
        encode: (limbs + 4) * ntt + limbs * pass,
        add: 2 * limbs * pass,
        addPlain: limbs * pass,
        addScalar: limbs * pass,
        mulScalar: 2 * limbs * pass,
        mulPlain: 2 * limbs * pass,
        mul: 4 * limbs * pass,
        relinearize: keySwitch,
        // one transform a limb for both
        relinearizeRescale: keySwitch + 2 * limbs * pass,
        rescale: 2 * limbs * (ntt + pass),
        dropLevel: limbs * pass,
        rotate: keySwitch,
        conjugate: keySwitch,
        decompose,
        hoistedRotation: keySwitch - decompose,
        transformBaby: keyProduct,
        transformTerm: all * pass,
        transformGiant: decompose + keyProduct + modDown,
        modDown: 2 * modDown,
        modDownRescale: 2 * modDown + 2 * limbs * pass,
        matrixProduct: 0.3 * limbs * pass,
        modRaise: 2 * limbs * ntt + keySwitch,
        // both polynomials to all primes; both divisions of both
        raiseTransform: 4 * (limbs + 1) * (ntt + pass) + 2 * limbs * convert,
        // two products with a key of one digit, two with the diagonal
        raiseTerm: 2 * (limbs + 1) * pass,
      }
      return nanoseconds[kind] * unit
    },
  }
}

/**
 * A model with each kind's time multiplied by a measured factor; kinds without one take `otherwise` (default 1).
 *
 * @example
 * ```ts
 * import { createDefaultCostModel, scaleCostModel } from '@he-ml/ckks-core'
 * const here = scaleCostModel(createDefaultCostModel({ threads: 2 }), { rotate: 1.3, rescale: 0.9 }, { name: 'here' })
 * console.log(here.seconds('rotate', { logN: 14, limbs: 8, specialLimbs: 3, digits: 3 }))
 * ```
 */
export function scaleCostModel(
  base: CostModel,
  factors: Partial<Record<OperationKind, number>>,
  options: { readonly name?: string; readonly otherwise?: number } = {},
): CostModel {
  const { name = `${base.name}, scaled`, otherwise = 1 } = options
  return {
    name,
    threads: base.threads,
    seconds: (kind, size) => base.seconds(kind, size) * (factors[kind] ?? otherwise),
  }
}

/** The sizes an operation at `level` has under these parameters. */
export function operationSize(parameters: AnyParameters, level: number): OperationSize {
  return {
    logN: parameters.logN,
    limbs: parameters.limbsAt(level),
    specialLimbs: parameters.p.length,
    digits: parameters.digitsAt(level),
  }
}
