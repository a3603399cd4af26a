import { drawSpikeRaster } from '@he-ml/example-train-spiking-lenet5/picture'
import type { LayerLook } from '../look/examine.ts'
import type { Subject } from './subject.ts'

/** Layers that are drawn: the last ones, of so many neurons at most. */
const LAYERS = 2
const MOST_NEURONS = 512

/** The last layers of neurons, encrypted beside clear; spikes that are not the same stand out. */
export function drawRaster(layers: readonly LayerLook[], { name, label }: Subject): Promise<string> {
  const shown = layers.filter(({ neurons }) => neurons <= MOST_NEURONS).slice(-LAYERS)
  const rasters = shown.flatMap(({ name: layer, timeSteps, neurons, encrypted, clear, differing }) => [
    { name: `${layer}\nencrypted\n${differing} differ`, timeSteps, neurons, spikes: encrypted, expected: clear },
    // a title of as many lines
    { name: `${layer}\nclear\n\u00a0`, timeSteps, neurons, spikes: clear },
  ])
  return drawSpikeRaster({
    title: `Spikes for a ${label}, decrypted and in the clear`,
    subtitle: [name, 'Orange: fires alone, without the clear neuron.', 'Pale: silent, where the clear neuron fires.'],
    rasters,
  })
}
