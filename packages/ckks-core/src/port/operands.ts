/** Operands as callers give them, checked: of this engine, of the degree, level and scale that an operation takes. */
import { InvalidArgumentError, LevelError, ParameterMismatchError, ScaleError } from '../errors/errors.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import { BaseCiphertext, BasePlaintext, type CiphertextMeta } from './base-handle.ts'
import { missingScale, sumOfProductsMeta } from './combination-checks.ts'
import type { LinearTerm } from './engine.ts'
import type { Ciphertext, Plaintext } from './handles.ts'
import { additiveMeta, metaOf, productMeta, sameScale } from './operand-checks.ts'
import { scalarParts } from './slot-values.ts'

/** Those of one engine. Every method throws a typed error that names the operation. @internal */
export class Operands<C extends BaseCiphertext, P extends BasePlaintext> {
  readonly #parameters: AnyParameters
  readonly #owner: object

  constructor(parameters: AnyParameters, owner: object) {
    this.#parameters = parameters
    this.#owner = owner
  }

  weightScale(a: Ciphertext): number {
    if (a.level < 1) return this.#parameters.scaleAt(0)
    // the factor that makes rescale land exactly on the nominal scale below
    return (this.#parameters.groupProduct(a.level) * this.#parameters.scaleAt(a.level - 1)) / a.scale
  }
  own(a: Ciphertext, operation: string): C {
    if (!(a instanceof BaseCiphertext))
      throw new ParameterMismatchError(`${operation}: not a ciphertext of this engine`)
    a.check(this.#owner, operation)
    return a as BaseCiphertext as C
  }
  ownPlain(a: Plaintext, operation: string): P {
    if (!(a instanceof BasePlaintext)) throw new ParameterMismatchError(`${operation}: not a plaintext of this engine`)
    a.check(this.#owner, operation)
    return a as BasePlaintext as P
  }
  wholePlain(a: Plaintext, operation: string): P {
    const whole = this.ownPlain(a, operation)
    if (whole.deferred)
      throw new InvalidArgumentError(
        `${operation}: a deferred plaintext is for linear transforms only: encode it without deferred`,
      )
    return whole
  }
  linear(a: Ciphertext, operation: string): C {
    const x = this.own(a, operation)
    if (x.degree !== 1)
      throw new InvalidArgumentError(`${operation}: expected degree 1, got ${x.degree}: relinearize first`)
    return x
  }
  productsMeta(pairs: readonly (readonly [Ciphertext, Ciphertext])[], operation: string): CiphertextMeta {
    if (pairs.length === 0) throw new InvalidArgumentError(`${operation}: at least one pair is needed`)
    const metas = pairs.map(([a, b]) =>
      productMeta(this.#parameters, this.linear(a, operation), this.linear(b, operation), operation),
    )
    return sumOfProductsMeta(metas, operation)
  }
  scaledTerms(
    terms: readonly LinearTerm[],
    first: Pick<CiphertextMeta, 'level'> | undefined,
    scale: number,
    operation: string,
  ) {
    return terms.map(({ ciphertext, by }) => {
      const x = this.own(ciphertext, operation)
      return { ciphertext: x, ...scalarParts(by), scale: missingScale(first!, x, scale, operation) }
    })
  }
  pair(a: Ciphertext, b: Ciphertext, operation: string): [C, C, CiphertextMeta] {
    const x = this.own(a, operation)
    const y = this.own(b, operation)
    return [x, y, additiveMeta(metaOf(x), y, operation)]
  }
  sumMeta(first: Ciphertext, terms: readonly Ciphertext[], operation: string): CiphertextMeta {
    let meta = metaOf(this.own(first, operation))
    for (const term of terms) meta = additiveMeta(meta, this.own(term, operation), operation)
    return meta
  }
  plainPair(a: Ciphertext, b: Plaintext, operation: string, additive: boolean): [C, P, CiphertextMeta] {
    const x = this.own(a, operation)
    const y = this.wholePlain(b, operation)
    if (y.level < x.level)
      throw new LevelError(
        `${operation}: the plaintext is at level ${y.level}, below the ciphertext's ${x.level}: encode it at that level`,
      )
    if (additive && !sameScale(x.scale, y.scale))
      throw new ScaleError(
        `${operation}: scales differ: ciphertext 2^${Math.log2(x.scale)}, plaintext 2^${Math.log2(y.scale)}`,
      )
    return [x, y, { ...metaOf(x), slots: Math.max(x.slots, y.slots) }]
  }
}
