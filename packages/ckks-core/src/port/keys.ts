/**
 * Which evaluation keys a computation needs, each at the highest level where it is used: a key for level l only holds the
 * primes up to l, so a key used late is small. Requests are made by the plan engine, never written by hand.
 */
import { ephemeralSpecials } from '../parameters/ephemeral.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import { keyResidueBytes, primesAt } from './packed-residues.ts'
import type { Level } from './quantities.ts'

/** One use of a key. */
export type KeyNeed =
  | {
      /** After a product. */
      readonly kind: 'relinearization'
      /** Level of the use. */
      readonly level: Level
    }
  | {
      /** A rotation of the slots. */
      readonly kind: 'rotation'
      /** To the left, in [1, N/2). */
      readonly steps: number
      /** Level of the use. */
      readonly level: Level
    }
  | {
      /** Of all slots. */
      readonly kind: 'conjugation'
      /** Level of the use. */
      readonly level: Level
    }
  | {
      /** The pair of switching keys of modRaise: to the ephemeral sparse secret at level 0, and back at `level`. */
      readonly kind: 'encapsulation'
      /** Level that is raised to. */
      readonly level: Level
    }

/** Everything a key generator must make for a plan. */
export interface KeyRequest {
  /** Highest level of a relinearisation; absent when there is none. */
  readonly relinearization?: Level
  /** Left rotations by `steps` in [1, N/2), each with the highest level of its uses; ascending by steps. */
  readonly rotations: readonly {
    /** To the left, in [1, N/2). */
    readonly steps: number
    /** Highest level of its uses. */
    readonly level: Level
  }[]
  /** Highest level of a conjugation. */
  readonly conjugation?: Level
  /** Highest level that modRaise raises to. */
  readonly encapsulation?: Level
}

/** A need in words, for messages. */
export function describeKey(need: KeyNeed): string {
  const which = need.kind === 'rotation' ? `rotation by ${need.steps}` : need.kind
  return `${which} at level ${need.level}`
}

/** Collects needs into a request. */
export class KeyRequestBuilder {
  #relinearization: Level | undefined
  #conjugation: Level | undefined
  #encapsulation: Level | undefined
  readonly #rotations = new Map<number, Level>()

  /** Takes a need in; of several for one key the highest level counts. */
  add(need: KeyNeed): void {
    if (need.kind === 'relinearization') this.#relinearization = Math.max(this.#relinearization ?? 0, need.level)
    else if (need.kind === 'conjugation') this.#conjugation = Math.max(this.#conjugation ?? 0, need.level)
    else if (need.kind === 'encapsulation') this.#encapsulation = Math.max(this.#encapsulation ?? 0, need.level)
    else this.#rotations.set(need.steps, Math.max(this.#rotations.get(need.steps) ?? 0, need.level))
  }

  /** Everything that was added so far. */
  build(): KeyRequest {
    return {
      ...(this.#relinearization === undefined ? {} : { relinearization: this.#relinearization }),
      rotations: [...this.#rotations].sort(([a], [b]) => a - b).map(([steps, level]) => ({ steps, level })),
      ...(this.#conjugation === undefined ? {} : { conjugation: this.#conjugation }),
      ...(this.#encapsulation === undefined ? {} : { encapsulation: this.#encapsulation }),
    }
  }
}

/** The request as a list, one entry per key: relinearisation first, rotations ascending, conjugation, encapsulation. */
export function listKeyNeeds(request: KeyRequest): KeyNeed[] {
  const needs: KeyNeed[] = []
  if (request.relinearization !== undefined) needs.push({ kind: 'relinearization', level: request.relinearization })
  for (const { steps, level } of request.rotations) needs.push({ kind: 'rotation', steps, level })
  if (request.conjugation !== undefined) needs.push({ kind: 'conjugation', level: request.conjugation })
  if (request.encapsulation !== undefined) needs.push({ kind: 'encapsulation', level: request.encapsulation })
  return needs
}

/** Limbs of a key-switching key at `level`: digits x 2 polynomials x (q limbs + special limbs). */
export function keyLimbs(parameters: AnyParameters, level: Level): number {
  return parameters.digitsAt(level) * 2 * (parameters.limbsAt(level) + parameters.p.length)
}

/** Limbs of the key for a need; an encapsulation key is a pair. */
export function needLimbs(parameters: AnyParameters, need: KeyNeed): number {
  const back = keyLimbs(parameters, need.level)
  if (need.kind !== 'encapsulation') return back
  return back + 2 * (parameters.limbsAt(0) + ephemeralSpecials(parameters))
}

/** Bytes of a key in memory, expanded, packed to 4 bytes per residue where the prime is below 2^32, to 6 elsewhere. */
export function keyBytes(parameters: AnyParameters, need: KeyNeed): number {
  const switchBytes = (level: Level, specials: readonly number[]) =>
    2 * keyResidueBytes(primesAt(parameters, level, specials)) * parameters.ringDegree
  const back = parameters.digitsAt(need.level) * switchBytes(need.level, parameters.p)
  if (need.kind !== 'encapsulation') return back
  return back + switchBytes(0, parameters.p.slice(0, ephemeralSpecials(parameters)))
}

/** Bytes of a key on disk: 6 per residue, of the half that is not uniform, which is a seed. */
export function keyFileBytes(parameters: AnyParameters, need: KeyNeed): number {
  return needLimbs(parameters, need) * parameters.ringDegree * 3
}
