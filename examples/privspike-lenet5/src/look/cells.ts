/** Where in a network laid out over time its neurons are: which values are their currents, membranes and spikes. */
import { isMultiOutput, type Model } from '@he-ml/model'

/** A layer of neurons at a time step, by names of values. */
export interface Cell {
  /** As the network was written, without a step. */
  readonly layer: string
  /** From 0. */
  readonly step: number
  /** What charges the membranes; absent where one refresh gave the spikes of all steps, but for the first. */
  readonly current?: string
  /** Membranes after the step before; absent at the first. */
  readonly carried?: string
  readonly spike: string
  /** Membranes after reset and drift; absent where they stay within a refresh. */
  readonly membrane?: string
}

/** In the order of the graph. @param unrolled the model of a bound plan */
export function cellsOf(unrolled: Model): Cell[] {
  return unrolled.nodes.flatMap(({ layer, name, origin, inputs, values }): Cell[] => {
    if (layer.kind !== 'spiking' || !isMultiOutput(layer)) return []
    const [current, carried] = inputs
    // the last step has no membrane, where nobody reads it
    if (layer.outputs.includes('spike')) {
      const [spike, membrane] = values
      return [
        {
          layer: origin?.node ?? name,
          step: origin?.step ?? 0,
          current: current!,
          ...(carried === undefined ? {} : { carried }),
          spike: spike!,
          ...(membrane === undefined ? {} : { membrane }),
        },
      ]
    }
    // spikes of all steps from one current, which is the first charge too
    return values.map((spike, step) => ({ layer: name, step, spike, ...(step === 0 ? { current: current! } : {}) }))
  })
}
