/**
 * Everything that a run's result follows from, as plain data: equal settings give equal results, bit for bit. The names by
 * which people know a run (its cell) stand beside it.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'

const count = z.number().int().min(0)
const positive = z.number().positive()
const digest = z.string().regex(/^[0-9a-f]{16}$/)

/** Where a run stands in the grid. */
export const cellSchema = z.strictObject({
  experiment: z.string().regex(/^[\w-]{1,64}$/),
  neuron: z.string().min(1).max(64),
  surrogate: z.string().min(1).max(64),
  seed: count,
})
export type Cell = z.infer<typeof cellSchema>

const reset = z.enum(['subtract', 'zero', 'none'])
const neuronSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('lif'), beta: z.number(), threshold: positive, reset }),
  z.strictObject({
    kind: z.literal('qif'),
    a: positive,
    u1: z.number(),
    u2: z.number(),
    threshold: positive,
    reset,
  }),
])
const surrogateSchema = z.strictObject({
  kind: z.enum(['rectangle', 'fastSigmoid', 'arctangent']),
  width: positive,
  height: positive.exactOptional(),
})

/** The part of the settings that all cells of an experiment share. */
const budgetShape = {
  data: z.strictObject({ name: z.enum(['mnist', 'nmnist']), training: count, test: count, digest }),
  timeSteps: count,
  inputShape: z.tuple([count, count, count]).readonly(),
  shift: count,
  /** As the trainer reads it; whatever it has is part of the identity. */
  recipe: z.looseObject({
    epochs: count,
    batchSize: count,
    optimizer: z.looseObject({ kind: z.string() }),
    loss: z.looseObject({ kind: z.string() }),
    schedule: z.looseObject({ learningRate: positive }),
  }),
  /** Instructions of the kernels: others may round differently. */
  kernel: z.string(),
}
const budgetSchema = z.strictObject(budgetShape)
/** What makes runs of an experiment comparable. */
export type Budget = z.infer<typeof budgetSchema>

export const settingsSchema = z.strictObject({
  ...budgetShape,
  neuron: neuronSchema,
  surrogate: surrogateSchema,
  /** Of the network's description: another architecture is another run. */
  network: digest,
  /** Seeds initial weights, shuffles and augmentation. */
  seed: count,
})
export type Settings = z.infer<typeof settingsSchema>

/** 64 bits of SHA-256 of the JSON with sorted keys, in hexadecimal. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, sortKeys)).digest('hex').slice(0, 16)
}

function sortKeys(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** @see Budget */
export function budgetOf({ data, timeSteps, inputShape, shift, recipe, kernel }: Settings): Budget {
  return { data, timeSteps, inputShape, shift, recipe, kernel }
}

/** The same in every order and for nobody else. */
export const cellName = ({ experiment, neuron, surrogate, seed }: Cell): string =>
  `${experiment}: ${neuron}, ${surrogate}, seed ${seed}`
