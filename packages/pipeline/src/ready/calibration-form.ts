/** What a calibration is as JSON, which its file holds and which judges what callers give for one. */
import { type OptionCheck, optionCheck } from '@he-ml/ckks-core'
import { z } from 'zod'
import type { Calibration } from './calibration.ts'

const numbers = z.array(z.number())

const statisticsSchema = z.strictObject({
  count: z.number().int().nonnegative(),
  min: z.number(),
  max: z.number(),
  mean: z.number(),
  std: z.number().nonnegative(),
  histogram: z.array(z.number().nonnegative()).max(4096),
  channels: z
    .strictObject({ half: z.number().positive(), counts: z.array(z.array(z.number().nonnegative()).min(1).max(4096)) })
    .refine(
      ({ counts }) => counts.length > 0 && counts.every(({ length }) => length === counts[0]!.length),
      'expected lists of one length',
    )
    .optional(),
  offGrid: z.number().min(0).max(0.5).optional(),
})

export const rangeSchema = z
  .strictObject({ min: z.number(), max: z.number() })
  .refine((r) => r.min <= r.max, 'expected min <= max')

export const equalizationSchema = z.record(z.string(), z.array(z.number().int().min(0).max(64)))

export const calibrationSchema = z.strictObject({
  model: z.string(),
  modelDigest: z.string('it tells not of which model it is: make it anew with fit(model, data)'),
  samples: z.number().int().positive(),
  statistics: z.record(z.string(), statisticsSchema),
  outputMagnitude: z.number().nonnegative().optional(),
  outputRanges: z.strictObject({ min: z.array(z.number()), max: z.array(z.number()) }).optional(),
  inputRange: rangeSchema.optional(),
  equalization: equalizationSchema.optional(),
  values: z
    .record(
      z.string(),
      z.strictObject({
        largest: z.number().nonnegative(),
        rms: z.number().nonnegative(),
        sixth: z.number().nonnegative(),
        channels: z.strictObject({ mean: numbers, std: numbers, min: numbers, max: numbers }).optional(),
      }),
    )
    .optional(),
})

/** Lists in place of typed arrays. */
export const calibrationForm = ({ statistics, ...rest }: Calibration) => ({
  ...rest,
  statistics: Object.fromEntries(
    Object.entries(statistics).map(([name, { channels, ...s }]) => {
      const own = channels && { half: channels.half, counts: channels.counts.map((counts) => [...counts]) }
      return [name, { ...s, histogram: [...s.histogram], ...(own ? { channels: own } : {}) }]
    }),
  ),
})

/** What `fit` gives: an empty object would pass for one that saw nothing, and typed arrays do not come back from JSON. */
export const isCalibration: OptionCheck = (value) =>
  holdsArrays(value) && calibrationSchema.safeParse(calibrationForm(value)).success
    ? undefined
    : 'what fit(model, data) gives, or parseCalibration of its file'

const holdsArrays = (value: unknown): value is Calibration =>
  isRecord(value) &&
  isRecord(value.statistics) &&
  Object.values(value.statistics).every(
    (s) => isRecord(s) && s.histogram instanceof Float64Array && (s.channels === undefined || areChannels(s.channels)),
  )
const areChannels = (value: unknown): boolean =>
  isRecord(value) && Array.isArray(value.counts) && value.counts.every((counts) => counts instanceof Float64Array)
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => optionCheck.object(value) === undefined
