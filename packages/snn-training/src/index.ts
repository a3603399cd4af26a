/**
 * Training of spiking networks in the clear: networks as plain data, backpropagation through time, losses, optimisers, a loop
 * that repeats and resumes bit for bit, grids for encrypted steps, model files.
 *
 * @module index
 */

export type { Shape } from '@he-ml/model'
export type {
  AffineDescription,
  ConvolutionDescription,
  DropoutDescription,
  FlattenDescription,
  LayerDescription,
  LinearDescription,
  ModelFacts,
  NetworkDescription,
  NetworkRecipe,
  NeuronDescription,
  PlainLayerDescription,
  PoolDescription,
  ResidualDescription,
  TdBatchNormDescription,
} from '@he-ml/model/spiking'
export {
  type Augmentation,
  compose,
  randomFlip,
  randomRotation,
  randomShift,
} from './augmentation/augmentation.ts'
export { TrainingDivergedError } from './errors.ts'
export { encodeModel, type LoadedModel, parseModel } from './files/model-file.ts'
export type { NamedValues, NeuronActivity, Parameter } from './layers/layer.ts'
export type { LossResult } from './losses/cross-entropy.ts'
export { type CrossEntropyLoss, createLoss, type Loss, type LossDescription, type TetLoss } from './losses/loss.ts'
export { type FoldOptions, foldNormalization } from './network/fold.ts'
export {
  createNetwork,
  type ForwardOptions,
  meanOverTime,
  type Network,
  type NetworkOptions,
} from './network/network.ts'
export {
  type AdamSettings,
  createOptimizer,
  type OptimizerDescription,
  type SgdSettings,
} from './optimizers/create-optimizer.ts'
export type { Optimizer } from './optimizers/optimizer.ts'
export { type CosineSchedule, cosineRate } from './optimizers/schedule.ts'
export { type CalibrateGridsOptions, calibrateGrids } from './quantization/calibrate-grids.ts'
export { applyCommonGrid, type CommonGridOptions } from './quantization/common-grid.ts'
export { deriveSeed, permutation, RandomStream } from './random/random-stream.ts'
export type { Precision, Signal } from './tensor/signal.ts'
export type { EpochResult } from './training/checkpoint.ts'
export { arrayData, type LabelledData } from './training/data.ts'
export { type Evaluation, evaluate } from './training/evaluate.ts'
export type { TrainingRecipe, TrainingRecipeInput } from './training/recipe.ts'
export { type TrainingProgress, type TrainingResult, type TrainOptions, train } from './training/train.ts'
