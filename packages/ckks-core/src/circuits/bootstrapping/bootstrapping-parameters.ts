/**
 * Parameters with room for bootstrapping. From the bottom: the base q0; the levels of slotsToCoeffs and those that are left
 * for use, all at one scale; the levels of evalMod; those of coeffsToSlots. evalMod multiplies whatever error its input has
 * by the number of periods it spans times q0 / scale, so its first level is a pair of primes: its input lives at a scale of
 * four bits more, and its first square brings that back to one prime. Above, the scale follows from the primes by
 * scaleAt(l - 1) = scaleAt(l)^2 / q_l, read upwards.
 */
import { InvalidArgumentError } from '../../errors/errors.ts'
import { findPrimeGroup } from '../../parameters/create-parameters.ts'
import type { ParametersLiteral } from '../../parameters/parameters.ts'
import { nearestPrime } from '../../parameters/primes.ts'
import { type BootstrappingSpec, bootstrappingLevels } from './bootstrapping-spec.ts'

/** What the primes of a set follow from; `Spec` is the circuit that they have room for. */
export interface RefreshRequest<Spec> {
  /** log2 of the ring degree: 15 or 16 for secure parameters. */
  readonly logN: number
  /** Levels left for use between two bootstraps. */
  readonly levels: number
  /** Bits of the scale in use. */
  readonly scaleBits: number
  /** Bits of q0, below 48. */
  readonly baseBits: number
  /** Bits of the primes of what is evaluated after modRaise (evalMod, or an exponential) and of coeffsToSlots, below 48. */
  readonly workBits: number
  /** Bits of the first levels of what is evaluated, from the top, where they differ; above 48, a level is a pair of primes. */
  readonly headBits: readonly number[]
  /** Digits of key switching at the top level: more need fewer special primes, and more work. */
  readonly dnum: number
  /**
   * Bits of each special prime. The first ones serve the ephemeral secret too, and q0 times them must stay below its limit
   * (`MAX_LOG_SPARSE_128`).
   */
  readonly specialBits: readonly number[]
  /** The circuit that the primes have room for. */
  readonly spec: Spec
}

/** Of a bootstrapping set. */
export type BootstrappingRequest = RefreshRequest<BootstrappingSpec>

/** Explicit primes for a request; deterministic. */
export function bootstrappingLiteral(request: BootstrappingRequest): ParametersLiteral {
  const { logN, levels, scaleBits, baseBits, workBits, headBits, dnum, specialBits, spec } = request
  const parts = bootstrappingLevels(spec)
  if (!Number.isInteger(levels) || levels < 1)
    throw new InvalidArgumentError(`bootstrapping: levels must be a positive integer, got ${levels}`)
  const head = Array.from({ length: parts.evalMod }, (_, i) => headBits[i] ?? workBits)
  const above = [...head.reverse(), ...new Array<number>(parts.coeffsToSlots).fill(workBits)]
  return refreshLiteral({ logN, scaleBits, baseBits, used: parts.slotsToCoeffs + levels, above, dnum, specialBits })
}

/** The chain of primes that a refresh goes up and down. */
export interface RefreshChain {
  /** log2 of the ring degree. */
  readonly logN: number
  /** Bits of the scale in use. */
  readonly scaleBits: number
  /** Bits of q0, below 48. */
  readonly baseBits: number
  /** Levels above the base at the scale in use. */
  readonly used: number
  /** Bits of the levels above these, upwards. */
  readonly above: readonly number[]
  /** Digits of key switching at the top level. */
  readonly dnum: number
  /** Bits of each special prime. */
  readonly specialBits: readonly number[]
}

/** Explicit primes for a chain; deterministic. */
export function refreshLiteral(chain: RefreshChain): ParametersLiteral {
  const { logN, scaleBits, baseBits, used: output, above, dnum, specialBits } = chain
  const top = output + above.length
  // log2 of the scales that follow from the primes wanted above
  const scales = new Array<number>(output + 1).fill(scaleBits)
  for (const bits of above) scales.push((scales.at(-1)! + bits) / 2)
  const used = new Set<number>()
  const take = (target: number): number => {
    const prime = nearestPrime(target, logN, used)
    used.add(prime)
    return prime
  }
  const q: number[][] = new Array(top + 1)
  q[0] = [take(2 ** baseBits)]
  const scale = 2 ** scales[top]!
  let current = scale
  for (let l = top; l > 0; l--) {
    q[l] = findPrimeGroup(current ** 2 / 2 ** scales[l - 1]!, logN, used)
    for (const prime of q[l]!) used.add(prime)
    current = current ** 2 / q[l]!.reduce((a, b) => a * b, 1)
  }
  const digitLimbs = Math.ceil(q.flat().length / dnum)
  const p = specialBits.map((bits) => take(2 ** bits))
  return { logN, q, p, digitLimbs, scale }
}
