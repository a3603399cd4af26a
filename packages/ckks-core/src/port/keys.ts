/**
 * Which evaluation keys a computation needs, each at the highest level where it is used: a key for level l only holds the
 * primes up to l, so a key used late is small. Requests are made by the plan engine, never written by hand.
 */
import { InvalidArgumentError } from '../errors/errors.ts'
import { ephemeralSpecials, raisingSpecials } from '../parameters/ephemeral.ts'
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
      /** The switching keys of modRaise: to the ephemeral sparse secret at level 0, and back at `level`. */
      readonly kind: 'encapsulation'
      /** Level that is raised to. */
      readonly level: Level
      /**
       * Left rotations of what is raised, on the way back (`raiseTransforms`), in [1, N/2), ascending; each has a short key of its own, and
       * so has the way back without one. Absent: one ordinary key, for modRaise alone.
       */
      readonly steps?: readonly number[]
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
  /** Rotations on the way back from there, as a need's `steps`. */
  readonly raising?: readonly number[]
}

/** A need in words, for messages. */
export function describeKey(need: KeyNeed): string {
  return `${nameKey(need)} at level ${need.level}`
}

/** The same without the level. */
export function nameKey(need: KeyNeed): string {
  if (need.kind === 'rotation') return `rotation by ${need.steps}`
  if (need.kind === 'encapsulation' && need.steps) return `encapsulation with ${need.steps.length} rotations`
  return need.kind
}

/** Whether a key that serves one need serves another as well: the same kind and steps, a level at least as high. */
export function serves(key: KeyNeed, need: KeyNeed): boolean {
  if (key.kind !== need.kind || key.level < need.level) return false
  if (need.kind === 'rotation') return need.steps === (key as typeof need).steps
  if (need.kind !== 'encapsulation' || need.steps === undefined) return true
  const { steps } = key as typeof need
  return steps !== undefined && need.steps.every((step) => steps.includes(step))
}

/** The key that is missing, in words. */
export function nameMissingKey(need: KeyNeed): string {
  if (need.kind === 'rotation') return `rotation key for ${need.steps} steps`
  return need.kind === 'encapsulation' && need.steps
    ? `encapsulation key with the ${need.steps.length} rotations`
    : `${need.kind} key`
}

/** Whether one of the keys of a request serves a need. */
export function requestServes(keys: KeyRequest, need: KeyNeed): boolean {
  if (need.kind === 'rotation') return keys.rotations.some((r) => r.steps === need.steps && r.level >= need.level)
  if ((keys[need.kind] ?? -1) < need.level) return false
  if (need.kind !== 'encapsulation' || need.steps === undefined) return true
  return keys.raising !== undefined && need.steps.every((step) => keys.raising!.includes(step))
}

/** Collects needs into a request. */
export class KeyRequestBuilder {
  #relinearization: Level | undefined
  #conjugation: Level | undefined
  #encapsulation: Level | undefined
  #raising: Set<number> | undefined
  readonly #rotations = new Map<number, Level>()

  /** Takes a need in; of several for one key the highest level counts. */
  add(need: KeyNeed): void {
    if (need.kind === 'relinearization') this.#relinearization = Math.max(this.#relinearization ?? 0, need.level)
    else if (need.kind === 'conjugation') this.#conjugation = Math.max(this.#conjugation ?? 0, need.level)
    else if (need.kind === 'encapsulation') {
      this.#encapsulation = Math.max(this.#encapsulation ?? 0, need.level)
      if (need.steps) this.#raising = new Set([...(this.#raising ?? []), ...need.steps])
    } else this.#rotations.set(need.steps, Math.max(this.#rotations.get(need.steps) ?? 0, need.level))
  }

  /** Everything that was added so far. */
  build(): KeyRequest {
    return {
      ...(this.#relinearization === undefined ? {} : { relinearization: this.#relinearization }),
      rotations: [...this.#rotations].sort(([a], [b]) => a - b).map(([steps, level]) => ({ steps, level })),
      ...(this.#conjugation === undefined ? {} : { conjugation: this.#conjugation }),
      ...(this.#encapsulation === undefined ? {} : { encapsulation: this.#encapsulation }),
      ...(this.#raising === undefined ? {} : { raising: [...this.#raising].sort((a, b) => a - b) }),
    }
  }
}

/**
 * The request as a list, one entry per key: relinearisation first, rotations ascending, conjugation, encapsulation.
 * @throws InvalidArgumentError for raising rotations without a level of the encapsulation key that they belong to
 */
export function listKeyNeeds(request: KeyRequest): KeyNeed[] {
  const needs: KeyNeed[] = []
  if (request.relinearization !== undefined) needs.push({ kind: 'relinearization', level: request.relinearization })
  for (const { steps, level } of request.rotations) needs.push({ kind: 'rotation', steps, level })
  if (request.conjugation !== undefined) needs.push({ kind: 'conjugation', level: request.conjugation })
  const { encapsulation, raising } = request
  if (raising !== undefined && encapsulation === undefined)
    throw new InvalidArgumentError('a key request with raising rotations needs encapsulation, the level raised to')
  if (encapsulation !== undefined)
    needs.push({ kind: 'encapsulation', level: encapsulation, ...(raising ? { steps: raising } : {}) })
  return needs
}

/** Limbs of a key-switching key at `level`: digits x 2 polynomials x (q limbs + special limbs). */
export function keyLimbs(parameters: AnyParameters, level: Level): number {
  return parameters.digitsAt(level) * 2 * (parameters.limbsAt(level) + parameters.p.length)
}

/** Limbs of the key for a need; an encapsulation key is a pair, or more where it rotates. */
export function needLimbs(parameters: AnyParameters, need: KeyNeed): number {
  if (need.kind !== 'encapsulation') return keyLimbs(parameters, need.level)
  const short = 2 * (parameters.limbsAt(need.level) + raisingSpecials(parameters))
  const back = need.steps ? (1 + need.steps.length) * short : keyLimbs(parameters, need.level)
  return back + 2 * (parameters.limbsAt(0) + ephemeralSpecials(parameters))
}

/** Bytes of a key in memory, expanded, packed to 4 bytes per residue where the prime is below 2^32, to 6 elsewhere. */
export function keyBytes(parameters: AnyParameters, need: KeyNeed): number {
  const switchBytes = (level: Level, specials: readonly number[]) =>
    2 * keyResidueBytes(primesAt(parameters, level, specials)) * parameters.ringDegree
  const whole = parameters.digitsAt(need.level) * switchBytes(need.level, parameters.p)
  if (need.kind !== 'encapsulation') return whole
  const short = () => switchBytes(need.level, parameters.p.slice(0, raisingSpecials(parameters)))
  const back = need.steps ? (1 + need.steps.length) * short() : whole
  return back + switchBytes(0, parameters.p.slice(0, ephemeralSpecials(parameters)))
}

/** Bytes of a key on disk: 6 per residue, of the half that is not uniform, which is a seed. */
export function keyFileBytes(parameters: AnyParameters, need: KeyNeed): number {
  return needLimbs(parameters, need) * parameters.ringDegree * 3
}
