/**
 * What the JSON of a network must say. Everything has bounds, so that a hostile file cannot ask for absurd memory before its weights
 * have been seen.
 */
import type { SchemaFields } from '@he-ml/ckks-core'
import { z } from 'zod'
import type {
  AffineDescription,
  ConvolutionDescription,
  DropoutDescription,
  FlattenDescription,
  LinearDescription,
  NetworkDescription,
  NetworkRecipe,
  NeuronDescription,
  PoolDescription,
  ResidualDescription,
  SurrogateShape,
  TdBatchNormDescription,
  WeightGrid,
} from './description.ts'
import type { Grid } from './grid.ts'
import { neuronSchema } from './neuron.ts'

const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/)
const size = z.number().int().min(1).max(65_536)
const positive = z.number().positive()
const points = (least: number, most: number) => z.number().int().multipleOf(2).min(least).max(most)
const weightGrid: z.ZodType<WeightGrid, WeightGrid> = z.strictObject({
  step: positive,
  count: points(2, 65_536),
  biasStep: positive.optional(),
} satisfies SchemaFields<WeightGrid>)
const inputGrid: z.ZodType<Grid, Grid> = z.strictObject({
  step: positive,
  count: points(2, 65_536),
} satisfies SchemaFields<Grid>)
const membraneGrid: z.ZodType<Grid, Grid> = z.strictObject({
  step: positive,
  count: points(16, 256),
} satisfies SchemaFields<Grid>)

const convolution = z.strictObject({
  kind: z.literal('conv2d'),
  name,
  outChannels: size,
  kernel: z.tuple([size, size]).readonly(),
  stride: size.default(1),
  padding: z.number().int().min(0).max(1024).default(0),
  groups: size.default(1),
  bias: z.boolean().default(true),
  weightGrid: weightGrid.optional(),
} satisfies SchemaFields<ConvolutionDescription>)
const linear = z.strictObject({
  kind: z.literal('linear'),
  name,
  outFeatures: size,
  bias: z.boolean().default(true),
  weightGrid: weightGrid.optional(),
} satisfies SchemaFields<LinearDescription>)
const pool = z.strictObject({
  kind: z.enum(['averagePool2d', 'maxPool2d']),
  name,
  kernel: size,
  stride: size,
} satisfies SchemaFields<PoolDescription>)
const flatten = z.strictObject({ kind: z.literal('flatten'), name } satisfies SchemaFields<FlattenDescription>)
const dropout = z.strictObject({
  kind: z.literal('dropout'),
  name,
  rate: z.number().min(0).lt(1),
} satisfies SchemaFields<DropoutDescription>)
const tdBatchNorm = z.strictObject({
  kind: z.literal('tdBatchNorm'),
  name,
  threshold: positive,
  alpha: positive.default(1),
  epsilon: positive.default(1e-5),
  momentum: z.number().positive().max(1).default(0.1),
} satisfies SchemaFields<TdBatchNormDescription>)
const affine = z.strictObject({ kind: z.literal('affine'), name } satisfies SchemaFields<AffineDescription>)
const neuron = z
  .strictObject({
    kind: z.literal('neuron'),
    name,
    neuron: neuronSchema,
    surrogate: z.strictObject({
      kind: z.enum(['rectangle', 'fastSigmoid', 'arctangent']),
      width: positive,
      height: positive.optional(),
    } satisfies SchemaFields<SurrogateShape>),
    detachReset: z.boolean().default(false),
    output: z.enum(['spikes', 'membrane']).default('spikes'),
    grid: membraneGrid.optional(),
    rangePenalty: z.number().min(0).default(0),
  } satisfies SchemaFields<NeuronDescription>)
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
} satisfies SchemaFields<ResidualDescription>)
/** From what one writes to a description with all defaults, each field checked; `checkNetwork` checks that layers fit, too. */
export const networkSchema: z.ZodType<NetworkDescription, NetworkRecipe> = z.strictObject({
  name: z.string().min(1).max(200),
  inputShape: z.union([z.tuple([size, size, size]), z.tuple([size])]),
  timeSteps: z.number().int().min(1).max(1024),
  inputTime: z.enum(['static', 'perStep']).default('static'),
  inputGrid: inputGrid.optional(),
  layers: z
    .array(z.discriminatedUnion('kind', [...plainLayer.options, residual]))
    .min(1)
    .max(256),
} satisfies SchemaFields<NetworkDescription>)
