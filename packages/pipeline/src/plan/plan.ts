/**
 * The plan: everything that is decided before any key exists, as JSON. It holds no weights; server and client bind it to
 * the same model again, and a content hash makes sure that it is the same.
 */
import { contentHash, FormatError, HeMlError, Parameters, SecurityError } from '@he-ml/ckks-core'
import { parseLayout, type SlotLayout } from '@he-ml/packing'
import { z } from 'zod'
import { equalizationSchema, rangeSchema } from '../ready/calibration-file.ts'

const positive = z.number().int().positive()
const count = z.number().int().nonnegative()
const finite = z.number()
const shape = z.array(positive).min(1).max(8)

const calibrationOptions = z.strictObject({
  margin: finite.min(1).max(100),
  degree: positive.max(1023),
  error: finite.positive().optional(),
  method: z.enum(['remez', 'chebyshev', 'least-squares', 'composite']).optional(),
  perChannel: z.boolean().optional(),
})

const keyLevel = count.max(100)

const specSchema = z.strictObject({
  slots: positive,
  content: z.enum(['complex', 'real']),
  coeffsToSlots: positive.max(16),
  slotsToCoeffs: positive.max(16),
  degree: positive.max(126),
  doubleAngles: count.max(6),
  arcsine: z.boolean(),
  logMessageRatio: finite.positive().max(94),
})

const merge = positive.max(2 ** 16)

export const bootstrappingSchema = z.strictObject({
  /** Circuits, each encoded once for all its ranges. */
  circuits: z.array(z.strictObject({ spec: specSchema, ranges: z.array(finite.positive()).min(1).max(64) })).max(64),
  /** False when the search for the placement had to leave states out. */
  exact: z.boolean(),
})

const functionalSchema = z.strictObject({
  /** Circuits of layers that refresh what they compute, each encoded once for all its periods. */
  circuits: z
    .array(
      z.strictObject({
        spec: z.strictObject({
          slots: positive,
          content: z.enum(['complex', 'real']),
          coeffsToSlots: positive.max(16),
          slotsToCoeffs: positive.max(16),
          degree: positive.max(127),
          squarings: count.max(8),
          functionLevels: positive.max(20),
        }),
        periods: z.array(finite.positive()).min(1).max(64),
      }),
    )
    .min(1)
    .max(64),
})

const figures = {
  /** Which tile of the batch; absent where there is one. */
  tile: count.max(65_536).optional(),
  /** Keys that it uses, as indices into the list of the key request (relinearisation, rotations, conjugation, encapsulation). */
  keys: z.array(count.max(4098)).max(4099),
  /** Bytes of ciphertexts by which it rises above what lived before. */
  workBytes: count,
}

export const taskSchema = z.union([
  /** A layer, and the level at which it reads its inputs. */
  z.strictObject({ layer: z.string(), level: keyLevel, ...figures }),
  /** A bootstrap: of which values, how. */
  z.strictObject({
    values: z.array(z.string()).min(1).max(64),
    circuit: count.max(63),
    range: finite.positive(),
    /** Ciphertexts that masks lay side by side into one. */
    merge,
    ...figures,
  }),
])

const endpoint = z.strictObject({
  level: keyLevel,
  scale: finite.positive(),
  slots: positive,
  ciphertexts: positive,
  /** A SlotLayout; see inputLayoutOf and outputLayoutOf. */
  layout: z.record(z.string(), z.unknown()),
})

export const layerReportSchema = z.strictObject({
  name: z.string(),
  kind: z.string(),
  /** Which tile of the batch, and what the tiles have in common: the name without its number. Absent where there is one. */
  tile: count.optional(),
  of: z.string().optional(),
  /** Level at which its inputs are read, and the level of its output. */
  level: keyLevel,
  outputLevel: keyLevel,
  ciphertexts: count,
  seconds: finite.nonnegative(),
  encodeSeconds: finite.nonnegative(),
  rotations: count,
  products: count,
  plaintextProducts: count,
  precisionBits: finite,
  /** For bootstraps only. */
  refresh: z
    .strictObject({
      values: z.array(z.string()),
      bootstraps: positive,
      /** Slots of the circuit, and what they hold: two real ciphertexts at a time, or one. */
      slots: positive,
      content: z.enum(['complex', 'real']),
      merge,
      range: finite.positive(),
    })
    .optional(),
})

export const reportSchema = z.strictObject({
  /** Levels consumed from input to output, on the longest path. */
  depth: count,
  logN: positive,
  logQP: finite,
  securityMarginBits: finite,
  rotations: count,
  products: count,
  plaintextProducts: count,
  keys: z.strictObject({ count, bytes: count, fileBytes: count }),
  ciphertexts: z.strictObject({ input: count, inputBytes: count, output: count, outputBytes: count }),
  memory: z.strictObject({
    peakBytes: count,
    /** Peak of a run that makes limbs of weights when they are used, and drops weights after their last use. */
    leanPeakBytes: count,
    weightBytes: count,
    /** Working memory of the largest operation. */
    scratchBytes: count,
  }),
  /** Estimates by the cost model: one run, and encoding the weights once. */
  seconds: finite.nonnegative(),
  encodeSeconds: finite.nonnegative(),
  costModel: z.string(),
  threads: positive,
  /** Expected error of the outputs against the clear network with the same polynomials, in bits: -log2(error). */
  precisionBits: finite,
  /**
   * The same relative to the range of each element of the output in the calibration data: log2((max - min) / error). Absent
   * without calibration; 0 for an element that never changed.
   */
  outputPrecisionBits: z.array(finite).optional(),
  /** Elements of the output that do not depend on the input: their weights are zero. Absent when there are none. */
  constantOutputs: z.array(count).min(1).optional(),
  /**
   * Bound on the probability that any bootstrap goes wrong by more than 2^-8 of its range, noise apart, while every value stays
   * in the range it is refreshed with. 0 without bootstraps, and where none can go wrong (docs/notes/bootstrapping.md).
   */
  failureProbability: finite.min(0).max(1),
  /**
   * Standard deviations of its error between a grid point and the half-way line to the next, at the refresh where that is least. Absent
   * where no layer refreshes what it computes.
   */
  decisionMargin: finite.nonnegative().optional(),
  layers: z.array(layerReportSchema),
})

export const planSchema = z.strictObject({
  format: z.literal('he-ml/plan'),
  version: z.literal(1),
  /** SHA-256 of the canonical JSON of everything else. */
  id: z.string().regex(/^[0-9a-f]{64}$/),
  model: z.strictObject({ name: z.string(), digest: z.string().regex(/^[0-9a-f]{64}$/), input: shape, output: shape }),
  packing: z.enum(['multiplexed', 'batch', 'channel']),
  /** Images per run. */
  batch: positive,
  parameters: z.strictObject({
    logN: positive.min(10).max(17),
    q: z.array(z.array(positive).min(1).max(2)).min(1).max(101),
    p: z.array(positive).min(1).max(64),
    digitLimbs: positive,
    scale: finite.positive(),
  }),
  /** How activations became polynomials; for the reader. */
  activation: calibrationOptions.extend({
    layers: z.record(z.string(), calibrationOptions.partial()).optional(),
  }),
  /** What decides the function computed beside the weights: polynomials, and the factors that values are held with. */
  decided: z.strictObject({
    /** What each activation was fitted to: polynomial, range and factors, in the form of its layer. */
    fitted: z.record(z.string(), z.record(z.string(), z.unknown())),
    factors: z.record(z.string(), finite),
    /** Layers that gave their constant to the factors. */
    relieved: z.array(z.string()).max(65_536),
    /** A mean over time has become a sum. */
    sumsOverTime: z.boolean(),
    /** Quarters of an octave by which the channels of results are held larger; absent: as they are. */
    equalization: equalizationSchema.optional(),
  }),
  keyRequest: z.strictObject({
    relinearization: keyLevel.optional(),
    rotations: z.array(z.strictObject({ steps: positive, level: keyLevel })).max(4096),
    conjugation: keyLevel.optional(),
    encapsulation: keyLevel.optional(),
  }),
  /** What layers leave in slots without an element. */
  gaps: z.enum(['wanted', 'zero']),
  /** Groups of ciphertexts that go through the first layers at a time. */
  tile: z.union([z.literal(1), z.literal(2)]),
  /** Whether layers may join two real inputs in a complex slot, where that is cheaper. */
  pairs: z.boolean(),
  /** Layers and bootstraps in the order in which they run. */
  tasks: z.array(taskSchema).min(1).max(65_536),
  /** Bytes of encoded weights, by their names; those that several tasks share are there once. */
  weights: z.record(z.string(), count),
  /** Bytes of those that take less while their limbs are made at each use, as runs do that do not keep weights. */
  deferredWeights: z.record(z.string(), count),
  /** Whether runs keep encoded weights for the next input; false where the memory allows no more than dropping them after use. */
  keepWeights: z.boolean(),
  /** Absent in leveled plans. */
  bootstrapping: bootstrappingSchema.optional(),
  /** Absent where no layer refreshes what it computes. */
  functional: functionalSchema.optional(),
  input: endpoint.extend({
    /**
     * Of inputs that change over time: how many frames there are. The layout is that of one; `ciphertexts` counts those of all,
     * the first frame's first.
     */
    frames: positive.max(65_536).optional(),
    /** Clients round values to the multiples k * step, k = -count / 2 .. count / 2 - 1, before they encrypt them. */
    grid: z.strictObject({ step: finite.positive(), count: positive.multipleOf(2) }).optional(),
    /** What clients may encrypt: the elements that `fit` saw, with the plan's margin. Absent without calibration. */
    range: rangeSchema.optional(),
  }),
  output: endpoint,
  report: reportSchema,
})

/** See {@link compile}. */
export type Plan = z.infer<typeof planSchema>
export type PlanReport = z.infer<typeof reportSchema>
export type PlanBootstrapping = z.infer<typeof bootstrappingSchema>
export type PlanFunctional = z.infer<typeof functionalSchema>
export type PlanTask = z.infer<typeof taskSchema>
export type LayerReport = z.infer<typeof layerReportSchema>

/** Where the elements of the input lie, or of each of its frames. @throws InvalidArgumentError, FormatError for a plan that was not made by us */
export const inputLayoutOf = (plan: Plan): SlotLayout => parseLayout(plan.input.layout)
/** Where the output's elements lie. */
export const outputLayoutOf = (plan: Plan): SlotLayout => parseLayout(plan.output.layout)

/** The parameters of a plan. @throws SecurityError when they are not 128-bit secure; FormatError for numbers that are no parameters */
export function parametersOf(plan: Pick<Plan, 'parameters'>): Parameters {
  try {
    return new Parameters(plan.parameters)
  } catch (cause) {
    if (!(cause instanceof HeMlError) || cause instanceof SecurityError) throw cause
    throw new FormatError(`plan: its parameters are none: ${cause.message}`, { cause })
  }
}

/** The plan with its content hash. */
export function sealPlan(plan: Omit<Plan, 'id'>): Plan {
  return { ...plan, id: planDigest(plan) }
}

/** The content hash of a plan: what `id` must be. */
export function planDigest(plan: Omit<Plan, 'id'> & { id?: string }): string {
  const { id: _, ...content } = plan
  return contentHash(content)
}

/**
 * Reads a plan from JSON text and checks it whole, its hash included.
 * @throws FormatError naming the field
 */
export function parsePlan(text: string): Plan {
  let json: unknown
  try {
    json = JSON.parse(text, (key, value) => {
      // it would be passed over, and is no name of ours
      if (key === '__proto__') throw new Error('it has a field "__proto__"')
      return value
    })
  } catch (error) {
    throw new FormatError(`plan: not JSON: ${(error as Error).message}`)
  }
  const result = planSchema.safeParse(json)
  if (!result.success) {
    const issue = result.error.issues[0]!
    throw new FormatError(`plan: field "${issue.path.join('.') || '(root)'}": ${issue.message}`)
  }
  const wanted = planDigest(result.data)
  if (wanted !== result.data.id)
    throw new FormatError(
      `plan: its content hash is ${wanted}, its id says ${result.data.id}: it was changed after it was made`,
    )
  return result.data
}
