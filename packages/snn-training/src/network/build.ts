/** Layers from descriptions. */

import type { Shape } from '@he-ml/model'
import type { LayerDescription } from '@he-ml/model/spiking'
import { AffineLayer } from '../layers/affine.ts'
import { AveragePoolLayer } from '../layers/average-pool.ts'
import { ConvolutionLayer } from '../layers/convolution.ts'
import { DropoutLayer } from '../layers/dropout.ts'
import { FlattenLayer } from '../layers/flatten.ts'
import type { Layer } from '../layers/layer.ts'
import { LinearLayer } from '../layers/linear.ts'
import { MaxPoolLayer } from '../layers/max-pool.ts'
import type { BuildOptions } from '../layers/options.ts'
import { ResidualLayer } from '../layers/residual.ts'
import { Sequence } from '../layers/sequence.ts'
import { SpikingLayer } from '../layers/spiking.ts'
import { TdBatchNormLayer } from '../layers/td-batch-norm.ts'

/** Layers one after the other, from checked descriptions. */
export function buildSequence(
  name: string,
  descriptions: readonly LayerDescription[],
  inputShape: Shape,
  options: BuildOptions,
): Sequence {
  const layers: Layer[] = []
  for (const description of descriptions)
    layers.push(buildLayer(description, layers.at(-1)?.outputShape ?? inputShape, options))
  return new Sequence(name, inputShape, layers)
}

function buildLayer(description: LayerDescription, inputShape: Shape, options: BuildOptions): Layer {
  switch (description.kind) {
    case 'conv2d':
      return new ConvolutionLayer(description, inputShape, options)
    case 'linear':
      return new LinearLayer(description, inputShape, options)
    case 'averagePool2d':
      return new AveragePoolLayer(description, inputShape)
    case 'maxPool2d':
      return new MaxPoolLayer(description, inputShape)
    case 'flatten':
      return new FlattenLayer(description, inputShape)
    case 'dropout':
      return new DropoutLayer(description, inputShape)
    case 'tdBatchNorm':
      return new TdBatchNormLayer(description, inputShape, options)
    case 'affine':
      return new AffineLayer(description, inputShape, options)
    case 'neuron':
      return new SpikingLayer(description, inputShape, options)
    case 'residual': {
      const { name, main, shortcut } = description
      return new ResidualLayer(
        name,
        buildSequence(`${name}.main`, main, inputShape, options),
        buildSequence(`${name}.shortcut`, shortcut, inputShape, options),
      )
    }
  }
}
