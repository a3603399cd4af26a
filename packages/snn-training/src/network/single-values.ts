import { type Shape, sizeOf } from '@he-ml/model'
import type { LayerDescription, NetworkDescription } from '@he-ml/model/spiking'
import { shapeAfter } from '@he-ml/model/spiking'

/** What a network is given: 1 or all time steps of so many samples. */
interface Given {
  readonly batch: number
  readonly steps: number
}

/**
 * Name of the first normalisation that sees a single value per channel, which has no variance; undefined when there is none.
 * Before the first neurons a static input counts once, whatever the time steps.
 */
export function singleValued({ layers, inputShape, timeSteps }: NetworkDescription, given: Given): string | undefined {
  return walk(layers, inputShape, given, timeSteps).found
}

interface Walked {
  readonly found: string | undefined
  /** Behind these layers. */
  readonly steps: number
}

function walk(
  layers: readonly LayerDescription[],
  inputShape: Shape,
  { batch, steps: first }: Given,
  timeSteps: number,
): Walked {
  let [shape, steps] = [inputShape, first]
  for (const layer of layers) {
    if (layer.kind === 'tdBatchNorm' && batch * steps * sizeOf(shape.slice(1)) < 2) return { found: layer.name, steps }
    if (layer.kind === 'neuron') steps = timeSteps
    if (layer.kind === 'residual') {
      const paths = [layer.main, layer.shortcut].map((path) => walk(path, shape, { batch, steps }, timeSteps))
      const found = paths.find((path) => path.found !== undefined)?.found
      if (found !== undefined) return { found, steps }
      steps = Math.max(...paths.map((path) => path.steps))
    }
    shape = shapeAfter([layer], shape)
  }
  return { found: undefined, steps }
}
