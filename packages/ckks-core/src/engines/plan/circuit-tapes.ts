/** Tapes of circuits that run again and again: a network evaluates one polynomial on hundreds of thousands of ciphertexts. */
import type { CiphertextMeta } from '../../port/base-handle.ts'
import type { CircuitIdentity } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import { metaOf } from '../../port/operand-checks.ts'
import type { PlanTape } from './plan-recorder.ts'

export interface KnownCircuit {
  readonly output: CiphertextMeta
  readonly tape: PlanTape
}

interface Entry extends KnownCircuit {
  readonly identity: CircuitIdentity
  readonly input: CiphertextMeta
}

/** Tapes kept for each first object: the levels at which one polynomial is evaluated in turn. */
const MOST = 4

/** The latest tapes, by what decides their circuits; forgotten with these. */
export class CircuitTapes {
  readonly #entries = new WeakMap<object, Entry[]>()

  find(identity: CircuitIdentity, input: Ciphertext): KnownCircuit | undefined {
    const entries = this.#entries.get(identity.objects[0]!) ?? []
    return entries.find((entry) => sameIdentity(entry.identity, identity) && sameMeta(entry.input, metaOf(input)))
  }

  keep(identity: CircuitIdentity, input: Ciphertext, known: KnownCircuit): void {
    const { objects, numbers } = identity
    const entries = this.#entries.get(objects[0]!) ?? []
    const entry = { ...known, identity: { objects: [...objects], numbers: [...numbers] }, input: metaOf(input) }
    this.#entries.set(objects[0]!, [entry, ...entries].slice(0, MOST))
  }
}

const sameItems = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])
const sameIdentity = (a: CircuitIdentity, b: CircuitIdentity): boolean =>
  sameItems(a.objects, b.objects) && sameItems(a.numbers, b.numbers)
const sameMeta = (a: CiphertextMeta, b: CiphertextMeta): boolean =>
  a.level === b.level && a.scale === b.scale && a.slots === b.slots && a.degree === b.degree
