/**
 * What an engine computes, apart from what it checks: one `do...` method per operation of the port, with operands that fit and
 * with level, scale, degree and period of the result. Fused operations have defaults in terms of small ones.
 */
import type { BaseCiphertext, BasePlaintext, CiphertextMeta, PlaintextMeta } from './base-handle.ts'
import type { WeightMatrix } from './engine.ts'
import type { Plaintext } from './handles.ts'
import type { PreparedLinearTransform } from './linear-transform.ts'
import { metaOf } from './operand-checks.ts'
import type { SlotSource } from './slot-values.ts'

/** A ciphertext times (re + i im) * scale, rounded. */
export interface ScaledTerm<C> {
  /** What is multiplied. */
  readonly ciphertext: C
  /** Real part of the constant. */
  readonly re: number
  /** Imaginary part of the constant. */
  readonly im: number
  /** What the constant is multiplied with before it is rounded. */
  readonly scale: number
}

/** A sum of products times (re + i im) * scale, rounded. */
export interface ScaledProducts<C> extends Omit<ScaledTerm<C>, 'ciphertext'> {
  /** The factors. */
  readonly pairs: readonly (readonly [C, C])[]
  /** Of their sum. */
  readonly meta: CiphertextMeta
}

/** What ciphertexts are on the way through `raiseTransforms`. */
export interface RaiseMetas {
  /** After modRaise. */
  readonly raised: CiphertextMeta
  /** After the transform. */
  readonly product: CiphertextMeta
  /** After rescaling. */
  readonly result: CiphertextMeta
}

/** The computing half of an engine; see `BaseEngine`, which checks and then calls it. */
export abstract class EngineArithmetic<C extends BaseCiphertext, P extends BasePlaintext> {
  /** Encodes one period of values at the level and scale of `meta`. */
  protected abstract doEncode(values: SlotSource, meta: PlaintextMeta): P
  /** a + b, of one level and scale. */
  protected abstract doAdd(a: C, b: C, meta: CiphertextMeta): C
  /** a - b. */
  protected abstract doSub(a: C, b: C, meta: CiphertextMeta): C
  /** -a. */
  protected abstract doNegate(a: C, meta: CiphertextMeta): C
  /** a + b. */
  protected abstract doAddPlain(a: C, b: P, meta: CiphertextMeta): C
  /** a - b. */
  protected abstract doSubPlain(a: C, b: P, meta: CiphertextMeta): C
  /** a b, to be rescaled. */
  protected abstract doMulPlain(a: C, b: P, meta: CiphertextMeta): C
  /** Adds (re + i im) * a.scale, rounded. */
  protected abstract doAddScalar(a: C, re: number, im: number, meta: CiphertextMeta): C
  /** Multiplies by (re + i im) * scale, rounded. */
  protected abstract doMulScalar(a: C, re: number, im: number, scale: number, meta: CiphertextMeta): C
  /** i a, exactly. */
  protected abstract doMulByI(a: C, meta: CiphertextMeta): C
  /** a b, of degree 2. */
  protected abstract doMul(a: C, b: C, meta: CiphertextMeta): C
  /** Back to degree 1. */
  protected abstract doRelinearize(a: C, meta: CiphertextMeta): C
  /** Divides by the group of primes of a's level. */
  protected abstract doRescale(a: C, meta: CiphertextMeta): C
  /** Forgets primes down to the level of `meta`. */
  protected abstract doDropLevel(a: C, meta: CiphertextMeta): C
  /** Steps are in [0, slots); a step of 0 is a new handle of the same value. */
  protected abstract doRotateHoisted(a: C, steps: readonly number[], meta: CiphertextMeta): C[]
  /** Conjugates every slot. */
  protected abstract doConjugate(a: C, meta: CiphertextMeta): C
  /** From level 0 to meta.level, through the ephemeral secret. */
  protected abstract doModRaise(a: C, meta: CiphertextMeta): C

  /** Of degree 2; meta is the result's. */
  protected doRelinearizeRescale(a: C, meta: CiphertextMeta): C {
    return this.#rescaled(this.doRelinearize(a, { ...metaOf(a), degree: 1 }), meta)
  }
  /** modRaise, a transform and rescaling, of each. Default: one after the other. */
  protected doRaiseTransforms(
    inputs: readonly C[],
    transform: PreparedLinearTransform,
    metas: readonly RaiseMetas[],
  ): C[] {
    const made: C[] = []
    try {
      for (const [i, a] of inputs.entries()) made.push(this.#raised(a, transform, metas[i]!))
      return made
    } catch (error) {
      for (const result of made) result.dispose()
      throw error
    }
  }
  #raised(a: C, transform: PreparedLinearTransform, { raised, product, result }: RaiseMetas): C {
    const high = this.doShortModRaise(a, raised)
    try {
      return this.doLinearTransforms([high], transform, [product], [result])[0]!
    } finally {
      high.dispose()
    }
  }
  /** modRaise with the error of a short switch back. Default: as it is. */
  protected doShortModRaise(a: C, meta: CiphertextMeta): C {
    return this.doModRaise(a, meta)
  }
  #rescaled(a: C, meta: CiphertextMeta): C {
    try {
      return this.doRescale(a, meta)
    } finally {
      a.dispose()
    }
  }
  /** a^2, of degree 2. Default: doMul. */
  protected doSquare(a: C, meta: CiphertextMeta): C {
    return this.doMul(a, a, meta)
  }
  /** Rotate and add, doubling the stride; meta.slots is the new period. */
  protected doTrace(a: C, meta: CiphertextMeta): C {
    if (a.slots === meta.slots) return this.doDropLevel(a, meta)
    let total = a
    for (let steps = meta.slots; steps < a.slots; steps *= 2) {
      const last = 2 * steps >= a.slots
      const turned = this.doRotateHoisted(total, [steps], metaOf(a))[0]!
      const next = this.doAdd(total, turned, last ? meta : metaOf(a))
      turned.dispose()
      if (total !== a) total.dispose()
      total = next
    }
    return total
  }
  /** The sum of at least one term. Default: doAdd, one after the other. */
  protected doSum(terms: readonly C[], meta: CiphertextMeta): C {
    if (terms.length === 1) return this.doDropLevel(terms[0]!, meta)
    return this.#accumulate(
      terms.slice(1).map((term) => () => term),
      meta,
      terms[0]!,
      false,
    )
  }
  /** The sum of at least one product, of degree 2. Default: doMul and doAdd. */
  protected doMulAccumulate(pairs: readonly (readonly [C, C])[], meta: CiphertextMeta): C {
    return this.#accumulate(
      pairs.map(
        ([a, b]) =>
          () =>
            this.doMul(a, b, meta),
      ),
      meta,
    )
  }
  /** All baby rotations from one decomposition; each is disposed of after the last giant step that reads it. */
  protected doLinearTransform(a: C, transform: PreparedLinearTransform, meta: CiphertextMeta): C {
    const giants = transform.giants.filter((g) => g.terms.length > 0)
    const lastUse = new Map<number, number>()
    for (const [i, giant] of giants.entries()) for (const term of giant.terms) lastUse.set(term.step, i)
    const steps = [...lastUse.keys()]
    const rotations = this.doRotateHoisted(a, steps, { ...metaOf(a), slots: meta.slots })
    const babies = new Map(rotations.map((c, i) => [steps[i]!, c]))
    const parts = giants.map((giant, i) => () => {
      const products = giant.terms.map(
        (t) => () => this.doMulPlain(babies.get(t.step)!, t.plaintext as Plaintext as P, meta),
      )
      const inner = this.#accumulate(products, meta)
      for (const { step } of giant.terms) {
        if (lastUse.get(step) !== i) continue
        babies.get(step)?.dispose()
        babies.delete(step)
      }
      if (giant.step === 0) return inner
      const rotated = this.doRotateHoisted(inner, [giant.step], meta)[0]!
      inner.dispose()
      return rotated
    })
    return this.#accumulate(parts, meta)
  }
  /** The same of several, one meta for each; rescaled, where `results` says what that makes of them. Default: one after the other. */
  protected doLinearTransforms(
    inputs: readonly C[],
    transform: PreparedLinearTransform,
    products: readonly CiphertextMeta[],
    results?: readonly CiphertextMeta[],
  ): C[] {
    const made: C[] = []
    try {
      for (const [i, a] of inputs.entries()) {
        const product = this.doLinearTransform(a, transform, products[i]!)
        made.push(results ? this.#rescaled(product, results[i]!) : product)
      }
      return made
    } catch (error) {
      for (const result of made) result.dispose()
      throw error
    }
  }
  /** Row by row, the sum of inputs times weights, the weights encoded at `scale`. Default: doMulScalar and doAdd. */
  protected doMatrixProduct(inputs: readonly C[], weights: WeightMatrix, scale: number, meta: CiphertextMeta): C[] {
    return Array.from({ length: weights.rows }, (_, row) =>
      this.#accumulate(
        inputs.map(
          (x, column) => () =>
            this.doMulScalar(x, weights.data[row * weights.columns + column]!, 0, scale, { ...meta, degree: x.degree }),
        ),
        meta,
      ),
    )
  }

  /** The sum of products, scaled, with more terms: `product` is what it is before. Default: the products first. */
  protected doProductCombination(
    products: ScaledProducts<C>,
    terms: readonly ScaledTerm<C>[],
    constant: { readonly re: number; readonly im: number },
    meta: CiphertextMeta,
  ): C {
    const product = this.doProducts(products.pairs, products.meta)
    try {
      return this.doLinearCombination([{ ...products, ciphertext: product }, ...terms], constant, meta)
    } finally {
      product.dispose()
    }
  }
  /** The sum of products, by whichever operation makes it. */
  protected doProducts(pairs: readonly (readonly [C, C])[], meta: CiphertextMeta): C {
    const [a, b] = pairs[0]!
    if (pairs.length > 1) return this.doMulAccumulate(pairs, meta)
    return a === b ? this.doSquare(a, meta) : this.doMul(a, b, meta)
  }
  /** The sum of scaled terms and of constant * meta.scale, rounded. Default: doMulScalar, doAdd and doAddScalar. */
  protected doLinearCombination(
    terms: readonly ScaledTerm<C>[],
    constant: { readonly re: number; readonly im: number },
    meta: CiphertextMeta,
  ): C {
    const total = this.#accumulate(
      terms.map(
        ({ ciphertext: x, re, im, scale }) =>
          () =>
            this.doMulScalar(x, re, im, scale, { ...meta, degree: x.degree }),
      ),
      meta,
    )
    if (constant.re === 0 && constant.im === 0) return total
    const result = this.doAddScalar(total, constant.re, constant.im, meta)
    total.dispose()
    return result
  }

  /** Sums terms made one after the other, so that only the total and one term live at a time. Owned terms are disposed of. */
  #accumulate(terms: readonly (() => C)[], meta: CiphertextMeta, first?: C, owned = true): C {
    let total = first
    for (const make of terms) {
      const term = make()
      if (total === undefined) {
        total = term
        continue
      }
      const next: C = this.doAdd(total, term, { ...meta, degree: total.degree === 2 || term.degree === 2 ? 2 : 1 })
      if (total !== first) total.dispose()
      if (owned) term.dispose()
      total = next
    }
    return total!
  }
}
