/** From the last layer's activity over time to one value per class. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { type Reals, zerosLike } from '@he-ml/float-kernels'

/**
 * 'spikeCount': number of spikes. The others read the membrane potential before the reset: its mean over the steps, its
 * last value, its largest.
 */
export type Readout = 'spikeCount' | 'meanMembrane' | 'lastMembrane' | 'maxMembrane'

/** Collects one step after the other. */
export interface ReadoutAccumulator {
  /** Takes in a step of the last stage; steps must be alike in length and precision. */
  add(step: {
    /** One value per neuron. */
    readonly spike: Reals
    /** One value per neuron, before the reset. */
    readonly charged: Reals
  }): void
  /** @throws InvalidArgumentError before the first step */
  result(): Reals
}

/**
 * An accumulator for a readout.
 *
 * @example
 * ```ts
 * import { createReadout } from '@he-ml/snn-neurons'
 * const readout = createReadout('spikeCount')
 * readout.add({ spike: Float32Array.of(1, 0), charged: Float32Array.of(1.5, 0.5) })
 * readout.add({ spike: Float32Array.of(1, 1), charged: Float32Array.of(1.1, 1.2) })
 * console.log(readout.result()) // 2 1
 * ```
 */
export function createReadout(readout: Readout): ReadoutAccumulator {
  let total: Reals | undefined
  let steps = 0
  return {
    add({ spike, charged }) {
      const values = readout === 'spikeCount' ? spike : charged
      if (total === undefined) total = zerosLike(values).fill(readout === 'maxMembrane' ? -Infinity : 0)
      const out = total
      if (readout === 'lastMembrane') out.set(values)
      else if (readout === 'maxMembrane') for (let i = 0; i < out.length; i++) out[i] = Math.max(out[i]!, values[i]!)
      else for (let i = 0; i < out.length; i++) out[i] = out[i]! + values[i]!
      steps++
    },
    result() {
      if (total === undefined) throw new InvalidArgumentError('readout: no time step was added yet')
      return readout === 'meanMembrane' ? total.map((v) => v / steps) : total.slice()
    },
  }
}
