/**
 * Trained spiking networks as data: neurons, layers, and the two files a model is kept in.
 *
 * @packageDocumentation
 */
export { allLayers } from './all-layers.ts'
export { checkNetwork, shapeAfter, type TensorShape, tensorShapes } from './check.ts'
export {
  type AffineDescription,
  type ConvolutionDescription,
  type DropoutDescription,
  type FlattenDescription,
  type LayerDescription,
  type LinearDescription,
  type NetworkDescription,
  type NetworkRecipe,
  type NeuronDescription,
  networkSchema,
  type PlainLayerDescription,
  type PoolDescription,
  type ResidualDescription,
  type TdBatchNormDescription,
} from './description.ts'
export { type Grid, gridRange, nearestOnGrid } from './grid.ts'
export {
  encodeSpikingModel,
  type ModelFacts,
  parseSpikingModel,
  type SpikingModel,
  type SpikingModelFiles,
  type SpikingTensor,
} from './model-file.ts'
export { createNeuron, type LifNeuron, type Neuron, type QifNeuron, type Reset } from './neuron.ts'
