/** The committed results: which attack costs how much, for every problem, and with what it was computed. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Problem } from './problems.ts'

const notes = join(dirname(fileURLToPath(import.meta.url)), '../../docs/notes')
export const RESULTS_FILE = join(notes, 'security-estimates.json')
export const NOTE_FILE = join(notes, 'security-estimates.md')

/** An attack and the price of lattice reduction under which it is costed. */
export interface Attack {
  readonly attack: string
  /** gates: the estimator's RC.MATZOV; sieve: RC.BDGL16. */
  readonly model: 'gates' | 'sieve'
}

const gates = (...names: string[]): Attack[] => names.map((attack) => ({ attack, model: 'gates' }))
const DENSE: readonly Attack[] = [
  ...gates('usvp', 'bdd', 'dual', 'dual-fft'),
  { attack: 'usvp', model: 'sieve' },
  { attack: 'dual', model: 'sieve' },
]
const SPARSE = gates('usvp', 'dual', 'bdd-hybrid', 'bdd-mitm-hybrid', 'dual-guess')

/** What is tried on a kind of secret: guessing where it vanishes pays only when it mostly does. */
export const attacksOn = ({ secret }: Problem): readonly Attack[] => (secret.kind === 'ternary' ? DENSE : SPARSE)

export interface AttackCost extends Attack {
  /** log2 of the operations; null: the attack does not work at any price the estimator considers. */
  readonly bits: number | null
  /** What the estimator found best: block size beta, dimension d and the like. */
  readonly [detail: string]: number | string | null
}

/** The weakest figure of a second, independent estimator. */
export interface CrossCheck {
  readonly program: string
  readonly attack: string
  readonly model: string
  readonly bits: number
}

export interface Estimate extends Problem {
  /** Standard deviation of the error. */
  readonly errorDeviation: number
  /** Weakest attack, its model, and the log2 of what it costs. */
  readonly attack: string
  readonly model: string
  readonly bits: number
  /** Commit of github.com/malb/lattice-estimator. */
  readonly estimator: string
  readonly attacks: readonly AttackCost[]
  readonly crossCheck?: CrossCheck
}

export const errorDeviation = ({ errorBits }: Problem): number => Math.sqrt(errorBits) / 2

/** The cheapest attack that works. */
export function weakest(attacks: readonly AttackCost[]): { attack: string; model: string; bits: number } {
  let best = { attack: 'none', model: 'none', bits: Number.POSITIVE_INFINITY }
  for (const { attack, model, bits } of attacks) if (bits !== null && bits < best.bits) best = { attack, model, bits }
  return best
}

export function readResults(): Estimate[] {
  return existsSync(RESULTS_FILE) ? (JSON.parse(readFileSync(RESULTS_FILE, 'utf8')) as Estimate[]) : []
}

/** Written after every set: the whole takes hours, and may be interrupted. */
export function writeResults(results: readonly Estimate[]): void {
  writeFileSync(`${RESULTS_FILE}.new`, `${JSON.stringify(results, undefined, 2)}\n`)
  renameSync(`${RESULTS_FILE}.new`, RESULTS_FILE)
}

/** Whether a result is about exactly this problem. */
export const isAbout = (result: Problem, { name, logN, logQP, secret, errorBits }: Problem): boolean =>
  result.name === name &&
  result.logN === logN &&
  result.logQP === logQP &&
  JSON.stringify(result.secret) === JSON.stringify(secret) &&
  result.errorBits === errorBits
