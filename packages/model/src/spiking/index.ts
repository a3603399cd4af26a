/**
 * Trained spiking networks as data: neurons, layers, and the two files a model is kept in.
 *
 * @module spiking
 */
export { allLayers } from './all-layers.ts'
export { checkNetwork, shapeAfter, type TensorShape, tensorShapes } from './check.ts'
export type {
  AffineDescription,
  ConvolutionDescription,
  ConvolutionRecipe,
  Defaulted,
  DropoutDescription,
  FlattenDescription,
  LayerDescription,
  LayerRecipe,
  LinearDescription,
  LinearRecipe,
  NetworkDescription,
  NetworkRecipe,
  NeuronDescription,
  NeuronRecipe,
  PlainLayerDescription,
  PlainLayerRecipe,
  PoolDescription,
  ResidualDescription,
  ResidualRecipe,
  SurrogateShape,
  TdBatchNormDescription,
  TdBatchNormRecipe,
  WeightGrid,
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
export { networkSchema } from './network-schema.ts'
export { createNeuron, type LifNeuron, type Neuron, type QifNeuron, type Reset } from './neuron.ts'
