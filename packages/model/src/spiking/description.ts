/**
 * Networks as plain data: what a recipe, a checkpoint and a saved model agree on. Everything has bounds, so that a hostile
 * file cannot ask for absurd memory before its weights have been seen.
 */
import { z } from 'zod'
import { neuronSchema } from './neuron.ts'

const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/)
const size = z.number().int().min(1).max(65_536)
const positive = z.number().positive()
const points = (least: number, most: number) => z.number().int().multipleOf(2).min(least).max(most)
const weightGrid = z
  .strictObject({
    step: positive,
    count: points(2, 65_536),
    /** Biases are rounded to multiples of this; default `step`. */
    biasStep: positive.optional(),
  })
  .optional()
const inputGrid = z.strictObject({ step: positive, count: points(2, 65_536) }).optional()
const membraneGrid = z.strictObject({ step: positive, count: points(16, 256) }).optional()

const convolution = z.strictObject({
  kind: z.literal('conv2d'),
  name,
  outChannels: size,
  kernel: z.tuple([size, size]).readonly(),
  stride: size.default(1),
  padding: z.number().int().min(0).max(1024).default(0),
  groups: size.default(1),
  bias: z.boolean().default(true),
  weightGrid,
})
const linear = z.strictObject({
  kind: z.literal('linear'),
  name,
  outFeatures: size,
  bias: z.boolean().default(true),
  weightGrid,
})
const pool = z.strictObject({ kind: z.enum(['averagePool2d', 'maxPool2d']), name, kernel: size, stride: size })
const flatten = z.strictObject({ kind: z.literal('flatten'), name })
const dropout = z.strictObject({ kind: z.literal('dropout'), name, rate: z.number().min(0).lt(1) })
const tdBatchNorm = z.strictObject({
  kind: z.literal('tdBatchNorm'),
  name,
  /** Firing level of the neurons behind it. */
  threshold: positive,
  /** 1, or 1 / sqrt(2) where two paths are added. */
  alpha: positive.default(1),
  epsilon: positive.default(1e-5),
  /** Weight of the newest batch in the running statistics. */
  momentum: z.number().positive().max(1).default(0.1),
})
const affine = z.strictObject({ kind: z.literal('affine'), name })
const neuron = z
  .strictObject({
    kind: z.literal('neuron'),
    name,
    neuron: neuronSchema,
    surrogate: z.strictObject({
      kind: z.enum(['rectangle', 'fastSigmoid', 'arctangent']),
      width: positive,
      height: positive.optional(),
    }),
    /** No gradient through the spike that resets. */
    detachReset: z.boolean().default(false),
    output: z.enum(['spikes', 'membrane']).default('spikes'),
    /** The charged membrane is rounded to these points. */
    grid: membraneGrid,
    /**
     * Training with a grid: how much the loss minds charged membranes beyond it, (rangePenalty / 2) * the sum over neurons and
     * time steps of (distance / threshold)^2, averaged over the batch. Nothing in inference, and not part of saved models.
     */
    rangePenalty: z.number().min(0).default(0),
  })
  .refine(({ grid, rangePenalty }) => grid || rangePenalty === 0, {
    path: ['rangePenalty'],
    message: 'Expected 0 for neurons without a grid',
  })
  .refine(({ output, neuron }) => output === 'spikes' || neuron.reset === 'none', {
    path: ['output'],
    message: 'Expected reset "none" for output "membrane"',
  })
/** Layers without layers inside. */
const plainLayer = z.discriminatedUnion('kind', [
  convolution,
  linear,
  pool,
  flatten,
  dropout,
  tdBatchNorm,
  affine,
  neuron,
])
const residual = z.strictObject({
  kind: z.literal('residual'),
  name,
  main: z.array(plainLayer).min(1).max(64),
  shortcut: z.array(plainLayer).max(64).default([]),
})
export const networkSchema = z.strictObject({
  name: z.string().min(1).max(200),
  /** [channels, height, width] or [features] of one sample at one time step. */
  inputShape: z.union([z.tuple([size, size, size]), z.tuple([size])]),
  timeSteps: z.number().int().min(1).max(1024),
  /** Whether a sample is one tensor, the same at every time step, or a frame for each: what an event camera counted meanwhile. */
  inputTime: z.enum(['static', 'perStep']).default('static'),
  /** The few values that the network reads: its input is rounded to these points before anything else. */
  inputGrid,
  layers: z
    .array(z.discriminatedUnion('kind', [...plainLayer.options, residual]))
    .min(1)
    .max(256),
})

/** Convolution; with a weightGrid its weights are rounded to that grid and biases to its biasStep (default: its step). */
export type ConvolutionDescription = z.infer<typeof convolution>
/** Fully connected layer. */
export type LinearDescription = z.infer<typeof linear>
/** Average or max pooling over square windows without padding. */
export type PoolDescription = z.infer<typeof pool>
/** To features. */
export type FlattenDescription = z.infer<typeof flatten>
/** Dropout, constant over time. */
export type DropoutDescription = z.infer<typeof dropout>
/** Threshold-dependent batch normalisation. */
export type TdBatchNormDescription = z.infer<typeof tdBatchNorm>
/** Scale and shift per channel. */
export type AffineDescription = z.infer<typeof affine>
/** LIF or QIF neurons. */
export type NeuronDescription = z.infer<typeof neuron>
/** Sum of two paths. */
export type ResidualDescription = z.infer<typeof residual>
/** A layer that a residual block may hold. */
export type PlainLayerDescription = z.infer<typeof plainLayer>
/** Any layer. */
export type LayerDescription = PlainLayerDescription | ResidualDescription
/** A network, all defaults filled in. The result is the mean over time of the last layer's output. */
export type NetworkDescription = z.infer<typeof networkSchema>
/** What one writes: fields with defaults may be left out. */
export type NetworkRecipe = z.input<typeof networkSchema>
