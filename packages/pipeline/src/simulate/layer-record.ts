import { type CalibratedGraphLayer, forwardAll, observedBy, type Tensor } from '@he-ml/model'

/** What a layer that was fitted did with values as they come to it in the planned network. */
export interface SimulatedLayer {
  /** Its node in the unrolled model: `name@step` where it runs once a time step. */
  readonly name: string
  /** The layer's kind. */
  readonly kind: string
  /** Values seen. */
  readonly values: number
  /** Root mean square of what it computes less its exact function of the same inputs, in its result's own unit. */
  readonly rmsError: number
  /** The largest. */
  readonly worstError: number
  /** Of the exact results: what errors are to be seen beside. */
  readonly range: readonly [low: number, high: number]
  /** Share of the values that lie outside the range it was fitted to. */
  readonly outside: number
  /** How far the furthest lies beyond the nearer end, as a share of the range's length; 0 where all lie inside. */
  readonly furthest: number
}

/** The same, counted as samples come. */
export class LayerRecord {
  readonly #name: string
  readonly #layer: CalibratedGraphLayer
  #values = 0
  #squares = 0
  #worst = 0
  #low = Infinity
  #high = -Infinity
  #outside = 0
  #furthest = 0

  constructor(name: string, layer: CalibratedGraphLayer) {
    this.#name = name
    this.#layer = layer
  }

  /** @param computed the first of the layer's results */
  add(inputs: readonly Tensor[], computed: Tensor): void {
    const exact = forwardAll(this.#layer, inputs)[0]!.data
    this.#values += exact.length
    for (const [i, wanted] of exact.entries()) {
      const error = computed.data[i]! - wanted
      this.#squares += error * error
      this.#worst = Math.max(this.#worst, Math.abs(error))
      this.#low = Math.min(this.#low, wanted)
      this.#high = Math.max(this.#high, wanted)
    }
    this.#judge(observedBy(this.#layer, inputs).data)
  }

  get result(): SimulatedLayer {
    return {
      name: this.#name,
      kind: this.#layer.kind,
      values: this.#values,
      rmsError: Math.sqrt(this.#squares / this.#values),
      worstError: this.#worst,
      range: [this.#low, this.#high],
      outside: this.#outside / this.#values,
      furthest: this.#furthest,
    }
  }

  #judge(observed: Float64Array): void {
    const [low, high] = this.#layer.fittedRange ?? [-Infinity, Infinity]
    for (const x of observed) {
      const beyond = Math.max(low - x, x - high)
      if (beyond <= 0) continue
      this.#outside++
      this.#furthest = Math.max(this.#furthest, beyond / (high - low))
    }
  }
}
