/** A named way to make a model: all of it is plain data, and with the data's files it decides every bit of the result. */
import {
  type Augmentation,
  type CommonGridOptions,
  compose,
  randomRotation,
  randomShift,
  type TrainingRecipeInput,
} from '@he-ml/snn-training'
import type { NeuronName } from '../network/index.ts'

/** Digits as they are, or what our simulated event camera makes of them. */
export type RecipeData =
  | { readonly kind: 'mnist' }
  | { readonly kind: 'nmnist' /** Recordings made of the first so many training digits. */; readonly count: number }

/** An untrained network, or the model of another recipe, folded and put on grids. */
export type RecipeStart =
  | { readonly kind: 'new'; readonly neuron: NeuronName; readonly timeSteps: number }
  | {
      readonly kind: 'grids'
      /** Name of a recipe. */
      readonly from: string
      /** Average pooling as it is, or strides of the convolutions instead: see `strided`. */
      readonly pooling: 'average' | 'strides'
      /** What thresholds and membranes are multiplied by first: see `scaled`. */
      readonly units: number
      /** Of the membranes of all layers, so that one function of a point's number is every layer's step; 16 to 64 points. */
      readonly grid: CommonGridOptions['grid']
      /** The few values that pixels are rounded to; an encrypting client does that, too. */
      readonly inputGrid: CommonGridOptions['grid']
      /** How much the loss minds membranes beyond their grid, from 0: see the neurons' `rangePenalty` in snn-training. */
      readonly rangePenalty: number
      /** How far coarse weights are made larger before they are rounded, 0 to 1: see `strengthened`. */
      readonly strength: number
    }

export interface Recipe {
  readonly name: string
  readonly data: RecipeData
  readonly start: RecipeStart
  /** The last so many training samples are not trained on, but watched after every epoch; 0: none. */
  readonly validation: number
  /** Its seed is that of the first weights too. */
  readonly training: TrainingRecipeInput & { readonly seed: number }
  /** Pixels and degrees, each way; 0 for none. */
  readonly augmentation: { readonly shift: number; readonly rotation: number }
}

/** What changes samples on their way into a batch; undefined for nothing. */
export function augmentationOf({ augmentation: { shift, rotation } }: Recipe): Augmentation | undefined {
  const steps = [...(shift > 0 ? [randomShift(shift)] : []), ...(rotation > 0 ? [randomRotation(rotation)] : [])]
  return steps.length > 0 ? compose(...steps) : undefined
}
