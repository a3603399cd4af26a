import { checkArgument, FormatError } from '@he-ml/ckks-core'
import type { InputStatistics } from '@he-ml/model'
import { z } from 'zod'
import { isCalibration } from './assert-calibration-of.ts'
import type { Calibration } from './calibration.ts'

const numbers = z.array(z.number())

export const statisticsSchema = z.strictObject({
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

const schema = z.strictObject({
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

/**
 * A calibration as JSON text, to be kept beside a model whose data cannot be shipped.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createTensor, Model } from '@he-ml/model'
 * import { activation } from '@he-ml/nn-layers'
 * import { fit, parseCalibration, serializeCalibration } from '@he-ml/pipeline'
 *
 * const nodes = [{ layer: activation({ name: 'act', function: 'silu' }), inputs: ['x'] }]
 * const model = new Model({ name: 'tiny', input: { name: 'x', shape: [2] }, nodes })
 * const samples = [-3, 0, 5].map((x) => createTensor([2], Float64Array.of(x, 2 * x)))
 * const calibration = await fit(model, samples)
 * assert.deepEqual(parseCalibration(serializeCalibration(calibration)), calibration)
 * ```
 */
export function serializeCalibration(calibration: Calibration): string {
  checkArgument('serializeCalibration', 'calibration', calibration, isCalibration)
  const statistics = Object.fromEntries(
    Object.entries(calibration.statistics).map(([name, { channels, ...s }]) => {
      const own = channels && { half: channels.half, counts: channels.counts.map((counts) => [...counts]) }
      return [name, { ...s, histogram: [...s.histogram], ...(own ? { channels: own } : {}) }]
    }),
  )
  return JSON.stringify({ ...calibration, statistics })
}

/**
 * Reads it back.
 * @throws FormatError naming the field
 * @example
 * ```ts
 * import { createTensor, Model } from '@he-ml/model'
 * import { activation } from '@he-ml/nn-layers'
 * import { compile, fit, parseCalibration, serializeCalibration } from '@he-ml/pipeline'
 *
 * const nodes = [{ layer: activation({ name: 'act', function: 'silu' }), inputs: ['x'] }]
 * const model = new Model({ name: 'tiny', input: { name: 'x', shape: [2] }, nodes })
 * const samples = [-3, 0, 5].map((x) => createTensor([2], Float64Array.of(x, 2 * x)))
 * const text = serializeCalibration(await fit(model, samples)) // kept beside the model
 * const plan = await compile(model, { calibration: parseCalibration(text), activation: { degree: 7 } })
 * console.log(plan.report.depth)
 * ```
 */
export function parseCalibration(text: string): Calibration {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new FormatError(`calibration: not JSON: ${(error as Error).message}`)
  }
  const result = schema.safeParse(json)
  if (!result.success) {
    const issue = result.error.issues[0]!
    throw new FormatError(`calibration: field "${issue.path.join('.') || '(root)'}": ${issue.message}`)
  }
  const statistics: Record<string, InputStatistics> = {}
  for (const [name, { channels, offGrid, ...s }] of Object.entries(result.data.statistics)) {
    const own = channels && { half: channels.half, counts: channels.counts.map((c) => Float64Array.from(c)) }
    statistics[name] = {
      ...{ ...s, histogram: Float64Array.from(s.histogram) },
      ...(own ? { channels: own } : {}),
      ...(offGrid === undefined ? {} : { offGrid }),
    }
  }
  const { model, modelDigest, samples, outputMagnitude, outputRanges, inputRange, equalization, values } = result.data
  return {
    model,
    modelDigest,
    samples,
    statistics,
    ...(outputMagnitude === undefined ? {} : { outputMagnitude }),
    ...(outputRanges === undefined ? {} : { outputRanges }),
    ...(inputRange === undefined ? {} : { inputRange }),
    ...(equalization === undefined ? {} : { equalization }),
    ...(values === undefined ? {} : { values: values as NonNullable<Calibration['values']> }),
  }
}
