/**
 * Bits for a shape. Two numbers are free: those of evalMod and coeffsToSlots (the work), and the message ratio. The sine's bend asks for a
 * large ratio, the noise that the ratio amplifies for a small one, and both for much work, which the modulus limits. They cost
 * nothing but bits, so the most that security allows is taken.
 */
import { type BootstrappingRequest, bootstrappingLevels } from '../circuits/bootstrapping/index.ts'
import { recommendedLogQP } from '../parameters/recommended.ts'
import { justBelow, type RefreshNeed, scaleOf } from './refresh-need.ts'
import type { SetShape } from './set-shapes.ts'

/** Of a prime. */
const MOST_BITS = 47.9
/** The cosine's degree and doublings for an ephemeral secret of weight 32: no multiple can fail (docs/notes/bootstrapping.md). */
const DEGREE = 30
const DOUBLINGS = 3
/** Bits of work from which on a set is worth looking at: rounding alone leaves six or so. */
const LEAST_WORK = 34

/** Requests for a shape, those with the most work first; ratios next to each other. */
export function* refreshRequests(need: RefreshNeed, shape: SetShape): Iterable<BootstrappingRequest> {
  for (let bits = Math.ceil(MOST_BITS); bits > LEAST_WORK; bits--) {
    const work = Math.min(MOST_BITS, justBelow(bits))
    const requests = ratiosOf(shape)
      .map((ratio) => requestOf(need, shape, work, ratio))
      .filter((r) => r !== undefined)
    for (const request of requests) yield request
    // less work would only be worse
    if (requests.length > 0) return
  }
}

/** log2 of q0 over the message: the straighter the sine, the more of a period the message may fill. */
function ratiosOf({ arcsine }: SetShape): readonly number[] {
  if (arcsine === 0) return [11, 10, 9, 8, 7]
  if (arcsine > 7) return [8, 7, 6, 5, 4]
  return arcsine < 7 ? [9, 8, 7, 6] : [6, 5, 4]
}

/** Undefined where the modulus would be too large. */
function requestOf(
  need: RefreshNeed,
  shape: SetShape,
  workBits: number,
  logMessageRatio: number,
): BootstrappingRequest | undefined {
  const { logN, coeffsToSlots, slotsToCoeffs, dnum, arcsine } = shape
  const scaleBits = scaleOf(need)
  const baseBits = Math.min(MOST_BITS, justBelow(scaleBits + BASE_BEYOND))
  const spec = {
    slots: need.slots ?? 2 ** (logN - 1),
    content: 'complex',
    coeffsToSlots,
    slotsToCoeffs,
    degree: DEGREE,
    doubleAngles: DOUBLINGS,
    arcsine,
    logMessageRatio,
    shortKeys: true,
  } as const
  const headBits = headOf(shape, workBits)
  const limbs = limbBits({ need, spec, headBits, workBits, scaleBits, baseBits })
  const specialBits = specialsFor(limbs, dnum)
  const total = sum(limbs) + sum(specialBits)
  if (total > recommendedLogQP(logN)) return undefined
  return { logN, levels: need.levels, scaleBits, baseBits, workBits, headBits, dnum, specialBits, spec }
}

/** Bits of q0 beyond the scale: results of up to 2^5 in plans, and a message that is rounded far below the error. */
const BASE_BEYOND = 6

/** evalMod's first three levels: errors of its first two squares are amplified (docs/notes/bootstrapping.md). */
function headOf({ pairs }: SetShape, work: number): number[] {
  const second = work + 10
  const third = work + 8
  return pairs ? [work, second, third] : [work, Math.min(MOST_BITS, second), Math.min(MOST_BITS, third)]
}

interface Sizes {
  readonly need: RefreshNeed
  readonly spec: BootstrappingRequest['spec']
  readonly headBits: readonly number[]
  readonly workBits: number
  readonly scaleBits: number
  readonly baseBits: number
}

/** From the base upwards; a pair of primes is two limbs. */
function limbBits({ need, spec, headBits, workBits, scaleBits, baseBits }: Sizes): number[] {
  const { evalMod, coeffsToSlots, slotsToCoeffs } = bootstrappingLevels(spec)
  const used = new Array<number>(slotsToCoeffs + need.levels).fill(scaleBits)
  const work = new Array<number>(evalMod - headBits.length).fill(workBits)
  const head = headBits.toReversed().flatMap((bits) => (bits > MOST_PAIRLESS ? [bits / 2, bits / 2] : [bits]))
  return [baseBits, ...used, ...work, ...head, ...new Array<number>(coeffsToSlots).fill(workBits)]
}

/** Bits above which a level is a pair of primes. */
const MOST_PAIRLESS = 47.99

/** As few special primes as cover the largest digit, and no larger than that takes. */
function specialsFor(limbs: readonly number[], dnum: number): number[] {
  const each = Math.ceil(limbs.length / dnum)
  let most = 0
  for (let i = 0; i < limbs.length; i += each) most = Math.max(most, sum(limbs.slice(i, i + each)))
  // the primes found are a little off the sizes asked for
  const wanted = most + 1
  const count = Math.ceil(wanted / MOST_BITS)
  return new Array<number>(count).fill(Math.min(MOST_BITS, Math.ceil((wanted / count) * 10) / 10))
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
