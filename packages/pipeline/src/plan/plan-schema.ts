/**
 * What a plan's JSON must say, in schemas that are strict and made of just the members of its interfaces. Which plans of many figures are
 * absurd is said here too: they come from outside.
 */
import type { BootstrappingSpec, FunctionalSpec, KeyRequest, ParametersLiteral, SchemaFields } from '@he-ml/ckks-core'
import type { CalibrationOptions } from '@he-ml/model'
import { z } from 'zod'
import type { ActivationOptions } from '../ready/calibrate-activations.ts'
import { equalizationSchema, rangeSchema } from '../ready/calibration-form.ts'
import type { Decided } from '../ready/prepare-model.ts'
import type {
  Plan,
  PlanBootstrapping,
  PlanCircuit,
  PlanEndpoint,
  PlanFunctional,
  PlanFunctionalCircuit,
  PlanGrid,
  PlanInput,
  PlanLayerTask,
  PlanModel,
  PlanRefreshTask,
  PlanTask,
  PlanTaskFigures,
} from './plan-form.ts'
import type {
  CiphertextFigures,
  KeyFigures,
  LayerReport,
  MemoryFigures,
  OperationCounts,
  PlanReport,
  RefreshReport,
} from './plan-report.ts'

const positive = z.number().int().positive()
const count = z.number().int().nonnegative()
const finite = z.number()
const shape = z.array(positive).min(1).max(8)

const hash = z.string().regex(/^[0-9a-f]{64}$/)

const optional = {
  error: finite.positive().exactOptional(),
  method: z.enum(['remez', 'chebyshev', 'least-squares', 'composite']).exactOptional(),
  perChannel: z.boolean().exactOptional(),
}
const margin = finite.min(1).max(100)
const degree = positive.max(1023)
const layerOptions: z.ZodType<Partial<CalibrationOptions>> = z.strictObject({
  margin: margin.exactOptional(),
  degree: degree.exactOptional(),
  ...optional,
} satisfies SchemaFields<Partial<CalibrationOptions>>)

const keyLevel = count.max(100)
const content = z.enum(['complex', 'real'])
const merge = positive.max(2 ** 16)

const specSchema: z.ZodType<BootstrappingSpec> = z.strictObject({
  slots: positive,
  content,
  coeffsToSlots: positive.max(16),
  slotsToCoeffs: positive.max(16),
  degree: positive.max(126),
  doubleAngles: count.max(6),
  arcsine: z.union([count.max(127), z.boolean()]),
  logMessageRatio: finite.positive().max(94),
  shortKeys: z.boolean().exactOptional(),
} satisfies SchemaFields<BootstrappingSpec>)

/** Bootstraps in lock step: more than a few gain nothing. */
const MOST_TOGETHER = 16

const circuitSchema: z.ZodType<PlanCircuit> = z.strictObject({
  spec: specSchema,
  ranges: z.array(finite.positive()).min(1).max(64),
  together: positive.max(MOST_TOGETHER).exactOptional(),
} satisfies SchemaFields<PlanCircuit>)

const bootstrappingSchema: z.ZodType<PlanBootstrapping> = z.strictObject({
  circuits: z.array(circuitSchema).max(64),
  exact: z.boolean(),
} satisfies SchemaFields<PlanBootstrapping>)

const functionalSpecSchema: z.ZodType<FunctionalSpec> = z.strictObject({
  slots: positive,
  content,
  coeffsToSlots: positive.max(16),
  slotsToCoeffs: positive.max(16),
  degree: positive.max(127),
  squarings: count.max(8),
  functionLevels: positive.max(20),
  shortKeys: z.boolean().exactOptional(),
} satisfies SchemaFields<FunctionalSpec>)

const functionalCircuitSchema: z.ZodType<PlanFunctionalCircuit> = z.strictObject({
  spec: functionalSpecSchema,
  periods: z.array(finite.positive()).min(1).max(64),
  together: positive.max(MOST_TOGETHER).exactOptional(),
} satisfies SchemaFields<PlanFunctionalCircuit>)

const figures = {
  tile: count.max(65_536).exactOptional(),
  keys: z.array(count.max(4098)).max(4099),
  workBytes: count,
} satisfies SchemaFields<PlanTaskFigures>

const taskSchema: z.ZodType<PlanTask> = z.union([
  z.strictObject({ layer: z.string(), level: keyLevel, ...figures } satisfies SchemaFields<PlanLayerTask>),
  z.strictObject({
    values: z.array(z.string()).min(1).max(64),
    circuit: count.max(63),
    range: finite.positive(),
    merge,
    ...figures,
  } satisfies SchemaFields<PlanRefreshTask>),
])

const endpoint = {
  level: keyLevel,
  scale: finite.positive(),
  slots: positive,
  ciphertexts: positive,
  layout: z.record(z.string(), z.unknown()),
} satisfies SchemaFields<PlanEndpoint>

const operationCounts = {
  rotations: count,
  products: count,
  plaintextProducts: count,
} satisfies SchemaFields<OperationCounts>

const refreshSchema: z.ZodType<RefreshReport> = z.strictObject({
  values: z.array(z.string()),
  bootstraps: positive,
  slots: positive,
  content,
  merge,
  range: finite.positive(),
} satisfies SchemaFields<RefreshReport>)

const layerReportSchema: z.ZodType<LayerReport> = z.strictObject({
  name: z.string(),
  kind: z.string(),
  tile: count.exactOptional(),
  of: z.string().exactOptional(),
  level: keyLevel,
  outputLevel: keyLevel,
  ciphertexts: count,
  seconds: finite.nonnegative(),
  encodeSeconds: finite.nonnegative(),
  ...operationCounts,
  precisionBits: finite,
  refresh: refreshSchema.exactOptional(),
} satisfies SchemaFields<LayerReport>)

const reportSchema: z.ZodType<PlanReport> = z.strictObject({
  depth: count,
  logN: positive,
  logQP: finite,
  securityMarginBits: finite,
  ...operationCounts,
  keys: z.strictObject({ count, bytes: count, fileBytes: count } satisfies SchemaFields<KeyFigures>),
  ciphertexts: z.strictObject({
    input: count,
    inputBytes: count,
    output: count,
    outputBytes: count,
  } satisfies SchemaFields<CiphertextFigures>),
  memory: z.strictObject({
    peakBytes: count,
    leanPeakBytes: count,
    weightBytes: count,
    scratchBytes: count,
  } satisfies SchemaFields<MemoryFigures>),
  seconds: finite.nonnegative(),
  encodeSeconds: finite.nonnegative(),
  costModel: z.string(),
  threads: positive,
  precisionBits: finite,
  outputPrecisionBits: z.array(finite).exactOptional(),
  constantOutputs: z.array(count).min(1).exactOptional(),
  failureProbability: finite.min(0).max(1),
  decisionMargin: finite.nonnegative().exactOptional(),
  layers: z.array(layerReportSchema),
} satisfies SchemaFields<PlanReport>)

export const planSchema: z.ZodType<Plan> = z.strictObject({
  format: z.literal('he-ml/plan'),
  version: z.literal(1),
  id: hash,
  model: z.strictObject({
    name: z.string(),
    digest: hash,
    input: shape,
    output: shape,
  } satisfies SchemaFields<PlanModel>),
  packing: z.enum(['multiplexed', 'batch', 'channel']),
  batch: positive,
  parameters: z.strictObject({
    logN: positive.min(10).max(17),
    q: z.array(z.array(positive).min(1).max(2)).min(1).max(101),
    p: z.array(positive).min(1).max(64),
    digitLimbs: positive,
    scale: finite.positive(),
  } satisfies SchemaFields<ParametersLiteral>),
  activation: z.strictObject({
    margin,
    degree,
    ...optional,
    layers: z.record(z.string(), layerOptions).exactOptional(),
  } satisfies SchemaFields<ActivationOptions>),
  decided: z.strictObject({
    fitted: z.record(z.string(), z.record(z.string(), z.unknown())),
    factors: z.record(z.string(), finite),
    relieved: z.array(z.string()).max(65_536),
    sumsOverTime: z.boolean(),
    equalization: equalizationSchema.exactOptional(),
  } satisfies SchemaFields<Decided>),
  keyRequest: z.strictObject({
    relinearization: keyLevel.exactOptional(),
    rotations: z.array(z.strictObject({ steps: positive, level: keyLevel })).max(4096),
    conjugation: keyLevel.exactOptional(),
    encapsulation: keyLevel.exactOptional(),
    raising: z.array(positive).max(4096).exactOptional(),
  } satisfies SchemaFields<KeyRequest>),
  gaps: z.enum(['wanted', 'zero']),
  tile: z.union([z.literal(1), z.literal(2)]),
  pairs: z.boolean(),
  tasks: z.array(taskSchema).min(1).max(65_536),
  weights: z.record(z.string(), count),
  deferredWeights: z.record(z.string(), count),
  keepWeights: z.boolean(),
  bootstrapping: bootstrappingSchema.exactOptional(),
  functional: z
    .strictObject({ circuits: z.array(functionalCircuitSchema).min(1).max(64) } satisfies SchemaFields<PlanFunctional>)
    .exactOptional(),
  input: z.strictObject({
    ...endpoint,
    frames: positive.max(65_536).exactOptional(),
    grid: z
      .strictObject({ step: finite.positive(), count: positive.multipleOf(2) } satisfies SchemaFields<PlanGrid>)
      .exactOptional(),
    range: rangeSchema.exactOptional(),
  } satisfies SchemaFields<PlanInput>),
  output: z.strictObject(endpoint),
  report: reportSchema,
} satisfies SchemaFields<Plan>)
