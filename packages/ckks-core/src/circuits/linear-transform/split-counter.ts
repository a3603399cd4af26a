import type { Split, SplitCosts } from './split-shape.ts'

/** Prices splits by the hundred: what was seen is marked with the number of the count, so that nothing is cleared or made anew. */
export class SplitCounter {
  readonly #slots: number
  readonly #babies: Int32Array
  readonly #giants: Int32Array
  #count = 0

  constructor(slots: number) {
    this.#slots = slots
    this.#babies = new Int32Array(slots)
    this.#giants = new Int32Array(slots)
  }

  /** As `splitCost` of `splitSteps`. @param steps in [0, slots) */
  cost(steps: readonly number[], { length, offset }: Split, costs: SplitCosts): number {
    const slots = this.#slots
    const count = ++this.#count
    const [babies, giants] = [this.#babies, this.#giants]
    let [babyCount, giantCount, both] = [0, 0, 0]
    for (const step of steps) {
      const shifted = step + offset < slots ? step + offset : step + offset - slots
      const within = (shifted % length) - offset
      const baby = within < 0 ? within + slots : within
      const giant = step >= baby ? step - baby : step - baby + slots
      if (baby !== 0 && babies[baby] !== count) {
        babies[baby] = count
        babyCount++
        if (giants[baby] === count) both++
      }
      if (giant !== 0 && giants[giant] !== count) {
        giants[giant] = count
        giantCount++
        if (babies[giant] === count) both++
      }
    }
    const keys = costs.key === undefined ? 0 : (babyCount + giantCount - both) * costs.key
    return babyCount * costs.baby + giantCount * costs.giant + keys
  }
}
