import { checkArgument, FormatError } from '@he-ml/ckks-core'
import type { InputStatistics } from '@he-ml/model'
import type { Calibration } from './calibration.ts'
import { calibrationForm, calibrationSchema, isCalibration } from './calibration-form.ts'

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
  return JSON.stringify(calibrationForm(calibration))
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
  const result = calibrationSchema.safeParse(json)
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
