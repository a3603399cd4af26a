/** Undoes the wrapping of a counter: a fall by more than half of its range is a wrap, a smaller one is an event out of order. */
export class Unwrapper {
  readonly #period: number
  #base = 0
  #last: number | undefined

  constructor(period: number) {
    this.#period = period
  }

  unwrap(ticks: number): number {
    const step = this.#last === undefined ? 0 : ticks - this.#last
    if (step < -this.#period / 2) this.#base += this.#period
    // an event from before the wrap that arrives after it
    else if (step > this.#period / 2 && this.#base > 0) this.#base -= this.#period
    this.#last = ticks
    return this.#base + ticks
  }
}
