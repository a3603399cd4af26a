/** A finished run as one line of a file. */
import { z } from 'zod'
import { cellSchema, settingsSchema } from './settings.ts'

const finite = z.number()
const count = z.number().int().min(0)
const evaluation = z.strictObject({ loss: finite, accuracy: finite, correct: count, count })

const trained = z.strictObject({
  kind: z.literal('trained'),
  /** Share of test samples classified correctly after the last epoch. */
  accuracy: z.number().min(0).max(1),
  correct: count,
  count,
  testLoss: finite,
  /** Mean training loss of the last epoch. */
  loss: finite,
  history: z
    .array(z.strictObject({ epoch: count, loss: finite, accuracy: finite, validation: evaluation }))
    .min(1)
    .readonly(),
  /** By layer of neurons: spikes per neuron and time step, over the first test samples. */
  firingRates: z.record(z.string(), z.number().min(0).max(1)),
})
/** A loss that was no longer finite: a result too, and reported. */
const diverged = z.strictObject({ kind: z.literal('diverged'), message: z.string() })
const resultSchema = z.discriminatedUnion('kind', [trained, diverged])

/** A run that came to its end. */
export type TrainedResult = z.infer<typeof trained>
/** A function of the settings. */
export type CellResult = z.infer<typeof resultSchema>

export const recordSchema = z.strictObject({
  version: z.literal(1),
  cell: cellSchema,
  hash: z.string(),
  settings: settingsSchema,
  result: resultSchema,
  /** Facts about this one execution: no part of the result. */
  execution: z.strictObject({
    seconds: z.number().min(0),
    date: z.string(),
    cpu: z.string(),
    cores: count,
    node: z.string(),
    /** Of the repository, with "and changes" where files differed from it. */
    commit: z.string(),
  }),
})
export type CellRecord = z.infer<typeof recordSchema>
