/**
 * Running a plan of one or several polynomials. Scales are exact throughout: the wanted scale of the result is propagated down (a factor q
 * of q T_g is made at the scale that turns into the wanted one when multiplied by T_g's), and constants are encoded at
 * whatever scale closes the gap, so every sum adds operands of one scale and nothing drifts (ePrint 2020/1118, and as
 * Lattigo does it). The work goes level by level, from the input's down: each T_k is dropped at most once per level, gives
 * back the primes nobody reads any more, and is disposed of after its last use.
 */
import type { Evaluator, LinearTerm } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import type { Level, Scale } from '../../port/quantities.ts'
import { scope } from '../scope.ts'
import { type JointPlan, type PolynomialNode, type PowerStep, powerDepth } from './polynomial-plan.ts'
import type { PolynomialBasis } from './series.ts'

/** T_k at the ends of [-1, 1], where errors grow fastest: keeps the noise estimate on the safe side. */
const CHEBYSHEV_MAGNITUDE = 1

/** A node, the level of its sum and the scale it must have after rescaling. */
interface ScheduledNode {
  readonly node: PolynomialNode
  readonly level: Level
  readonly scale: Scale
}

/** One evaluation on one ciphertext; the input is only read. */
export class Evaluation {
  readonly #engine: Evaluator
  readonly #input: Ciphertext
  readonly #basis: PolynomialBasis
  readonly #plan: JointPlan
  readonly #elements: Map<number, Ciphertext>
  /** Reads of each T_k that are still to come. */
  readonly #reads = new Map<number, number>()
  readonly #results = new Map<PolynomialNode, Ciphertext>()

  constructor(engine: Evaluator, input: Ciphertext, basis: PolynomialBasis, plan: JointPlan) {
    this.#engine = engine
    this.#input = input
    this.#basis = basis
    this.#plan = plan
    this.#elements = new Map([[1, input]])
  }

  /** Each polynomial at level input.level - depth, at exactly its scale. */
  run(scales: readonly Scale[]): Ciphertext[] {
    const { powers, roots } = this.#plan
    const top = this.#input.level
    const bottom = top - Math.max(...roots.map(({ depth }) => depth)) + 1
    const made = this.#scales()
    const nodes = roots.flatMap(({ root, depth }, i) => this.#schedule(root, top - depth + 1, scales[i]!, made))
    for (const step of powers) for (const k of this.#operands(step)) this.#expect(k)
    for (const { node } of nodes) for (const { power } of [...node.terms, ...node.products]) this.#expect(power)
    for (let level = top; level >= bottom; level--) {
      for (const step of powers) if (this.#levelOf(step.power) + 1 === level) this.#makePower(step, level)
      for (const item of nodes) if (item.level === level) this.#makeNode(item)
    }
    const results = roots.map(({ root }) => this.#results.get(root)!)
    this.#results.clear()
    return results
  }

  /** Gives back whatever is left, which is something only after an error. */
  dispose(): void {
    for (const element of this.#elements.values()) if (element !== this.#input) element.dispose()
    for (const result of this.#results.values()) result.dispose()
  }

  #levelOf(power: number): Level {
    return this.#input.level - powerDepth(power)
  }

  /** Scales that the elements will have. */
  #scales(): Map<number, Scale> {
    const scales = new Map([[1, this.#input.scale]])
    for (const { power, a, b } of this.#plan.powers)
      scales.set(
        power,
        (scales.get(a)! * scales.get(b)!) / this.#engine.parameters.groupProduct(this.#levelOf(power) + 1),
      )
    return scales
  }

  #schedule(node: PolynomialNode, level: Level, scale: Scale, scales: Map<number, Scale>): ScheduledNode[] {
    const product = scale * this.#engine.parameters.groupProduct(level)
    return [
      { node, level, scale },
      ...node.products.flatMap((p) => this.#schedule(p.factor, level + 1, product / scales.get(p.power)!, scales)),
    ]
  }

  #operands({ a, b }: PowerStep): number[] {
    if (a === b) return [a]
    return this.#basis === 'chebyshev' ? [a, b, a - b] : [a, b]
  }

  /** T_a T_b, or 2 T_a T_b - T_(a-b). */
  #makePower(step: PowerStep, level: Level): void {
    const engine = this.#engine
    const { power, a, b } = step
    const result = scope((use) => {
      const x = this.#read(a, level)
      const y = a === b ? x : this.#read(b, level)
      if (this.#basis !== 'chebyshev')
        return engine.relinearizeRescale(use(a === b ? engine.square(x) : engine.mul(x, y)))
      const less = a === b ? [] : [{ ciphertext: this.#read(a - b, level), by: -1 }]
      const options = { by: 2, constant: a === b ? -1 : 0 }
      const element = use(engine.productCombination([[x, y]], less, x.scale * y.scale, options))
      engine.declareMagnitude?.(element, CHEBYSHEV_MAGNITUDE)
      return engine.relinearizeRescale(element)
    })
    this.#elements.set(power, result)
    for (const k of this.#operands(step)) this.#release(k)
  }

  /** The node's sum, relinearised and rescaled once. */
  #makeNode({ node, level, scale }: ScheduledNode): void {
    const engine = this.#engine
    const result = scope((use) => {
      const sumScale = scale * engine.parameters.groupProduct(level)
      const parts: LinearTerm[] = []
      const pairs = node.products.map(({ power, factor }): [Ciphertext, Ciphertext] => {
        const made = use(this.#results.get(factor)!)
        this.#results.delete(factor)
        return [made, this.#read(power, level)]
      })
      for (const { power, re, im } of node.terms) parts.push({ ciphertext: this.#read(power, level), by: { re, im } })
      const sum = use(
        pairs.length > 0
          ? engine.productCombination(pairs, parts, sumScale, { constant: node.constant })
          : engine.linearCombination(parts, sumScale, node.constant),
      )
      engine.declareMagnitude?.(sum, node.magnitude)
      return engine.relinearizeRescale(sum)
    })
    this.#results.set(node, result)
    for (const { power } of [...node.terms, ...node.products]) this.#release(power)
  }

  /** T_power at `level`, which never rises from one call to the next: primes above it are given back. */
  #read(power: number, level: Level): Ciphertext {
    const element = this.#elements.get(power)!
    if (element.level === level) return element
    const dropped = this.#engine.dropLevel(element, level)
    if (element !== this.#input) element.dispose()
    this.#elements.set(power, dropped)
    return dropped
  }

  #expect(power: number): void {
    this.#reads.set(power, (this.#reads.get(power) ?? 0) + 1)
  }

  #release(power: number): void {
    const left = this.#reads.get(power)! - 1
    this.#reads.set(power, left)
    const element = this.#elements.get(power)!
    if (left === 0 && element !== this.#input) {
      element.dispose()
      this.#elements.delete(power)
    }
  }
}
