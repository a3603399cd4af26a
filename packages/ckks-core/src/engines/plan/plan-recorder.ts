import type { AnyParameters } from '../../parameters/parameters.ts'
import type { EngineMemory } from '../../port/engine.ts'
import {
  type KeyNeed,
  type KeyRequest,
  KeyRequestBuilder,
  keyBytes,
  keyFileBytes,
  listKeyNeeds,
} from '../../port/keys.ts'
import type { PreparedLinearTransform } from '../../port/linear-transform.ts'
import { ByteLedger, type BytesRisen } from '../byte-ledger.ts'
import type { CostModel, OperationKind } from './cost-model.ts'
import { OperationLog, type OperationSnapshot } from './operation-log.ts'
import type { PlanReport } from './plan-report.ts'

/** A point in a plan; see `PlanEngine.report`. */
export interface PlanCheckpoint extends OperationSnapshot {
  /** Uses of keys until then. */
  readonly uses: number
}

/** What some work costs, to be counted again. */
export interface PlanTape {
  readonly counts: { kind: OperationKind; level: number; count: number; degree: 1 | 2; share: number }[]
  readonly keys: KeyNeed[]
  readonly scratch: { level: number; accumulators: number; together: number }[]
  /** By how many bytes it rose above what there was. */
  rise: BytesRisen
}

/**
 * Of the time of a transform's baby steps, terms and giant steps, what each further ciphertext in lock step takes: measured
 * (docs/notes/bootstrapping.md).
 */
const LOCK_STEP_SHARE = 0.75

/** Bytes of a residue in memory. */
export const RESIDUE_BYTES = 8

/** The books of a plan: operations, keys, bytes, working memory. */
export class PlanRecorder {
  readonly ledger = new ByteLedger()
  readonly #keys = new KeyRequestBuilder()
  /** Key uses so far, and the number of the last use of each need. */
  #uses = 0
  readonly #lastUse = new Map<string, { readonly need: KeyNeed; use: number }>()
  readonly #parameters: AnyParameters
  readonly #costModel: CostModel
  readonly #log: OperationLog
  #scratch = 0
  #operations = 0
  /** Those that are being written, the innermost last. */
  readonly #tapes: PlanTape[] = []

  constructor(parameters: AnyParameters, costModel: CostModel) {
    this.#parameters = parameters
    this.#costModel = costModel
    this.#log = new OperationLog(parameters, costModel)
  }

  get operations(): number {
    return this.#operations
  }

  /** @param share of a whole operation's time: vectors that repeat are encoded in a smaller ring */
  count(kind: OperationKind, level: number, count = 1, degree: 1 | 2 = 1, share = 1): void {
    if (count === 0) return
    this.#operations += count
    this.#log.record(kind, level, count, (share * (degree + 1)) / 2)
    for (const { counts } of this.#tapes) {
      const same = counts.find((c) => c.kind === kind && c.level === level && c.degree === degree && c.share === share)
      if (same) same.count += count
      else counts.push({ kind, level, count, degree, share })
    }
  }

  /** Rotations of one ciphertext. */
  countRotations(level: number, turns: number): void {
    if (turns === 1) this.count('rotate', level)
    if (turns < 2) return
    this.count('decompose', level)
    this.count('hoistedRotation', level, turns)
  }

  /** Digits after modUp and `accumulators` pairs of polynomials, all modulo QP, of as many ciphertexts as go `together`. */
  needScratch(level: number, accumulators: number, together = 1): void {
    const limbs = this.#parameters.limbsAt(level) + this.#parameters.p.length
    const polynomials = together * (this.#parameters.digitsAt(level) + 2 * accumulators)
    this.#scratch = Math.max(this.#scratch, polynomials * limbs * this.#parameters.ringDegree * RESIDUE_BYTES)
    for (const { scratch } of this.#tapes)
      if (!scratch.some((s) => s.level === level && s.accumulators === accumulators && s.together === together))
        scratch.push({ level, accumulators, together })
  }

  /** A fused transform of several ciphertexts: the first reads keys and diagonals from memory, the others from caches. */
  needTransform(
    level: number,
    { giants }: PreparedLinearTransform,
    inputs: number,
    last: 'modDown' | 'modDownRescale' = 'modDown',
  ): void {
    const filled = giants.filter((g) => g.terms.length > 0)
    const turned = filled.filter((g) => g.step !== 0).length
    const babies = new Set(filled.flatMap((g) => g.terms.map((t) => t.step)))
    babies.delete(0)
    const terms = filled.reduce((n, g) => n + g.terms.length, 0)
    if (babies.size > 0) this.count('decompose', level, inputs)
    for (const [kind, count] of [
      ['transformBaby', babies.size],
      ['transformTerm', terms],
      ['transformGiant', turned],
    ] as const) {
      this.count(kind, level, count)
      this.count(kind, level, (inputs - 1) * count, 1, LOCK_STEP_SHARE)
    }
    this.count(last, level, inputs)
    this.needScratch(level, 1 + turned, inputs)
  }

  /** modRaise with a transform at once, of several. */
  needRaise({ level, giants }: PreparedLinearTransform, inputs: number): void {
    const terms = giants.reduce((sum, giant) => sum + giant.terms.length, 0)
    this.count('raiseTransform', level, inputs)
    this.count('raiseTerm', level, terms)
    this.count('raiseTerm', level, (inputs - 1) * terms, 1, LOCK_STEP_SHARE)
    this.needScratch(level, 1, inputs)
  }

  /** Does work, and writes down what it costs. */
  record<T>(work: () => T): { readonly result: T; readonly tape: PlanTape } {
    const tape: PlanTape = { counts: [], keys: [], scratch: [], rise: { ciphertexts: 0, plaintexts: 0, together: 0 } }
    this.#tapes.push(tape)
    try {
      const { result, rise } = this.ledger.measure(work)
      return { result, tape: Object.assign(tape, { rise }) }
    } finally {
      this.#tapes.splice(this.#tapes.indexOf(tape), 1)
    }
  }

  /** The same work once more. */
  replay({ counts, keys, scratch, rise }: PlanTape): void {
    for (const { kind, level, count, degree, share } of counts) this.count(kind, level, count, degree, share)
    for (const need of keys) this.needKey(need)
    for (const { level, accumulators, together } of scratch) this.needScratch(level, accumulators, together)
    this.ledger.swell(rise)
  }

  /** A key is used. */
  needKey(need: KeyNeed): void {
    for (const { keys } of this.#tapes) if (!keys.some((k) => sameNeed(k, need))) keys.push(need)
    this.#keys.add(need)
    const key = nameOf(need)
    const known = this.#lastUse.get(key)
    if (known) known.use = ++this.#uses
    else this.#lastUse.set(key, { need, use: ++this.#uses })
  }

  get keys(): KeyRequest {
    return this.#keys.build()
  }

  checkpoint(): PlanCheckpoint {
    this.ledger.watch()
    return { ...this.#log.snapshot(), uses: this.#uses }
  }

  memory(): EngineMemory {
    const needs = listKeyNeeds(this.keys)
    const keys = needs.reduce((sum, need) => sum + keyBytes(this.#parameters, need), 0)
    return this.ledger.memory(keys, this.#scratch)
  }

  report(since?: PlanCheckpoint): PlanReport {
    const operations = this.#log.records(since)
    const totals: Partial<Record<OperationKind, number>> = {}
    for (const { kind, count } of operations) totals[kind] = (totals[kind] ?? 0) + count
    const keyRequest = this.keys
    const used = new KeyRequestBuilder()
    for (const { need, use } of this.#lastUse.values()) if (use > (since?.uses ?? 0)) used.add(need)
    const needs = listKeyNeeds(keyRequest)
    const memory = this.memory()
    const peaks = this.ledger.peaks
    return {
      parametersId: this.#parameters.id,
      operations,
      totals,
      seconds: operations.reduce((sum, o) => sum + o.seconds, 0),
      threads: this.#costModel.threads,
      costModel: this.#costModel.name,
      keyRequest,
      keysUsed: listKeyNeeds(used.build()),
      keyBytes: memory.keys,
      keyFileBytes: needs.reduce((sum, need) => sum + keyFileBytes(this.#parameters, need), 0),
      ciphertextBytes: { live: memory.ciphertexts, peak: peaks.ciphertexts, risen: this.ledger.risen },
      plaintextBytes: { live: memory.plaintexts, peak: peaks.plaintexts },
      scratchBytes: this.#scratch,
      peakBytes: memory.peak,
    }
  }
}

const nameOf = (need: KeyNeed): string => {
  const steps = need.kind === 'rotation' || need.kind === 'encapsulation' ? need.steps : undefined
  return `${need.kind}/${steps ?? ''}/${need.level}`
}
const sameNeed = (a: KeyNeed, b: KeyNeed): boolean => nameOf(a) === nameOf(b)
