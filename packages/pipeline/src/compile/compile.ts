/**
 * From a model to a plan. Polynomials, layouts, levels, parameters; then the very circuits that will run are run once on
 * the plan engine, which tells the keys, the operation counts, memory, time and precision. What cannot be done is refused
 * here, with its reason, before any key exists.
 */
import {
  type Ciphertext,
  type CostModel,
  createDefaultCostModel,
  createParameters,
  createPlanEngine,
  HeMlError,
  InvalidArgumentError,
  type Parameters,
  type ParametersLiteral,
  type ParametersRequest,
  PlanError,
  SecurityError,
  toLevel,
} from '@he-ml/ckks-core'
import { type Model, PackedTensor } from '@he-ml/packing'
import type { Calibration } from '../fit/fit.ts'
import { type BoundPlan, lowerable } from '../plan/bound-plan.ts'
import { modelDigest } from '../plan/model-digest.ts'
import { type LayerReport, type Plan, sealPlan } from '../plan/plan.ts'
import type { ActivationOptions } from './calibrate-activations.ts'
import { inputLayoutFor, type Packing } from './input-layout.ts'
import { type Schedule, schedule } from './schedule.ts'

export interface CompileOptions {
  /** From `fit`; needed when the model has activations that are not polynomials. */
  readonly calibration?: Calibration
  /** How activations become polynomials. Default: margin 1.15, degree 27. */
  readonly activation?: Partial<ActivationOptions>
  /** One image at a time, or image = slot. Default multiplexed. */
  readonly packing?: Packing
  /** Images per run (batch packing). Default: every slot. */
  readonly batch?: number
  /** Explicit parameters; default: the smallest ring that is 128-bit secure for the depth. */
  readonly parameters?: ParametersLiteral | ParametersRequest
  /** Bits of the scale. Default 36. */
  readonly scaleBits?: number
  /** Bits of the base modulus. Default scaleBits + 8, or more where `fit` saw larger results. */
  readonly baseBits?: number
  /** Force the ring. */
  readonly logN?: number
  /** Shapes the parameters for another engine, such as `sealParameters` of ckks-seal. */
  readonly request?: (
    sizes: Required<Pick<ParametersRequest, 'logN' | 'levels' | 'scaleBits' | 'baseBits'>>,
  ) => ParametersRequest
  /** Refuse plans whose estimated peak is above this many bytes. */
  readonly memory?: number
  /** Operation times of the machine that will run the plan. */
  readonly costModel?: CostModel
}

const RINGS = [12, 13, 14, 15, 16] as const
const DIGITS = [2, 3, 4, 6, 8] as const

/**
 * Makes a plan.
 *
 * @throws PlanError with reason 'levels', 'security', 'memory', 'range' or 'shape'
 * @throws UnsupportedError when a layer cannot run on the packing
 */
export async function compile(model: Model, options: CompileOptions = {}): Promise<Plan> {
  return (await compileAndBind(model, options)).plan
}

/** The same, bound to the model already. */
export async function compileAndBind(model: Model, options: CompileOptions = {}): Promise<BoundPlan> {
  const activation: ActivationOptions = { margin: 1.15, degree: 27, ...options.activation }
  const ready = lowerable(model, options.calibration, activation)
  const packing = options.packing ?? 'multiplexed'
  if (packing === 'multiplexed' && (options.batch ?? 1) !== 1)
    throw new InvalidArgumentError(
      `multiplexed packing takes one image at a time, got a batch of ${options.batch}: use packing 'batch'`,
    )
  const { parameters, made, batch } = chooseParameters(ready, packing, options)
  checkOutput(parameters, options)
  const costModel = options.costModel ?? createDefaultCostModel({ threads: 1 })
  const simulated = await simulate(made, parameters, costModel)
  if (options.memory !== undefined && simulated.report.memory.peakBytes > options.memory)
    throw new PlanError(
      'memory',
      `the plan needs about ${gib(simulated.report.memory.peakBytes)} (keys ${gib(simulated.report.keys.bytes)}, weights ${gib(simulated.report.memory.weightBytes)}), the limit is ${gib(options.memory)}: use a smaller batch, lower polynomial degrees or more memory`,
    )
  const calibrated = Object.entries(options.calibration?.statistics ?? {})
  const plan = sealPlan({
    format: 'he-ml/plan',
    version: 1,
    model: {
      name: model.name,
      digest: modelDigest(model),
      input: [...model.input.shape],
      output: [...model.shapes.get(model.output)!],
    },
    packing,
    batch,
    parameters: JSON.parse(JSON.stringify(parameters)) as Plan['parameters'],
    activation: JSON.parse(JSON.stringify(activation)) as Plan['activation'],
    statistics: Object.fromEntries(calibrated.map(([name, s]) => [name, { ...s, histogram: [...s.histogram] }])),
    ...simulated,
  })
  return { plan, parameters, model: ready, schedule: made }
}

interface Chosen {
  readonly parameters: Parameters
  readonly made: Schedule
  readonly batch: number
}

/** The smallest ring, then the fewest digits, for which the depth is secure and the layouts fit. */
function chooseParameters(model: Model, packing: Packing, options: CompileOptions): Chosen {
  if (options.parameters) return fixed(model, packing, options, createParameters(options.parameters))
  const scaleBits = options.scaleBits ?? 36
  const baseBits = options.baseBits ?? scaleBits + Math.max(8, outputBits(options))
  let reason: HeMlError | undefined
  for (const logN of options.logN === undefined ? RINGS : [options.logN]) {
    const maxSlots = 2 ** (logN - 1)
    const batch = packing === 'batch' ? (options.batch ?? maxSlots) : 1
    let made: Schedule
    try {
      made = schedule(model, inputLayoutFor(model, packing, batch, maxSlots), maxSlots)
    } catch (error) {
      if (!(error instanceof HeMlError)) throw error
      reason = error
      continue
    }
    for (const dnum of DIGITS) {
      try {
        const parameters = createParameters(
          options.request?.({ logN, levels: made.inputLevel, scaleBits, baseBits }) ?? {
            logN,
            levels: made.inputLevel,
            scaleBits,
            baseBits,
            dnum,
          },
        )
        return { parameters, made, batch }
      } catch (error) {
        if (!(error instanceof HeMlError)) throw error
        reason = error
      }
    }
  }
  if (reason instanceof SecurityError)
    throw new PlanError(
      'security',
      `no ring up to 2^${RINGS.at(-1)} is 128-bit secure for this network: ${reason.message}; use lower polynomial degrees or a smaller scale`,
      { cause: reason },
    )
  throw reason ?? new PlanError('security', 'no parameters fit')
}

/** Bits that the result needs above the scale: twice the largest value seen, a sign, and one bit for errors. */
const outputBits = ({ calibration }: CompileOptions): number =>
  Math.ceil(Math.log2(Math.max(1, calibration?.outputMagnitude ?? 1))) + 3

/** What outgrows the lowest modulus would wrap around, and nobody could tell. @throws PlanError */
function checkOutput(parameters: Parameters, { calibration }: CompileOptions): void {
  const room = parameters.logQAt(0) - Math.log2(parameters.scaleAt(0)) - 1
  const largest = calibration?.outputMagnitude ?? 0
  if (Math.log2(largest) < room) return
  throw new PlanError(
    'range',
    `results of up to ${largest.toPrecision(3)} were seen, but only ${(2 ** room).toPrecision(3)} fits the lowest modulus: raise baseBits, or scale the last layer down`,
  )
}

function fixed(model: Model, packing: Packing, options: CompileOptions, parameters: Parameters): Chosen {
  const batch = packing === 'batch' ? (options.batch ?? parameters.maxSlots) : 1
  const made = schedule(model, inputLayoutFor(model, packing, batch, parameters.maxSlots), parameters.maxSlots)
  if (made.inputLevel > parameters.maxLevel)
    throw new PlanError(
      'levels',
      `the network needs ${made.inputLevel} levels, the parameters have ${parameters.maxLevel}: use lower polynomial degrees, more levels, or bootstrapping`,
    )
  return { parameters, made, batch }
}

type Simulated = Pick<Plan, 'keyRequest' | 'input' | 'output' | 'report'>

async function simulate(made: Schedule, parameters: Parameters, costModel: CostModel): Promise<Simulated> {
  const engine = createPlanEngine(parameters, { costModel })
  const { inputLayout, inputLevel } = made
  const scale = parameters.scaleAt(inputLevel)
  const inputs = Array.from({ length: inputLayout.ciphertexts }, () =>
    engine.input({ level: inputLevel, scale, slots: inputLayout.slots }),
  )
  const values = new Map<string, PackedTensor>()
  const readers = new Map<string, number>([[made.output, 1]])
  for (const node of made.nodes) for (const name of node.inputs) readers.set(name, (readers.get(name) ?? 0) + 1)
  const inputName = made.nodes.flatMap((n) => n.inputs).find((name) => !made.nodes.some((n) => n.name === name))!
  values.set(inputName, new PackedTensor(inputLayout, inputs))
  const layers: LayerReport[] = []
  for (const node of made.nodes) {
    const beforeEncoding = engine.checkpoint()
    const prepared = await node.lowered.prepare(engine, { level: node.level })
    const encoding = engine.report({ since: beforeEncoding })
    const before = engine.checkpoint()
    const aligned = node.inputs.map((name) => {
      const tensor = values.get(name)!
      const same = tensor.level === node.level
      return {
        same,
        tensor: same
          ? tensor
          : new PackedTensor(
              tensor.layout,
              tensor.ciphertexts.map((c) => toLevel(engine, c, node.level)),
            ),
      }
    })
    const output = await prepared.apply(
      engine,
      aligned.map((a) => a.tensor),
    )
    for (const a of aligned) if (!a.same) a.tensor.dispose()
    const used = engine.report({ since: before })
    values.set(node.name, output)
    layers.push({
      name: node.name,
      kind: node.kind,
      level: node.level,
      outputLevel: output.level,
      ciphertexts: output.ciphertexts.length,
      seconds: used.seconds,
      encodeSeconds: encoding.seconds,
      ...operationCounts(used.totals),
      precisionBits: worst(output.ciphertexts.map((c) => engine.estimate(c).precisionBits)),
    })
    for (const name of node.inputs) {
      const left = readers.get(name)! - 1
      readers.set(name, left)
      if (left === 0) {
        values.get(name)!.dispose()
        values.delete(name)
      }
    }
  }
  const result = values.get(made.output)!
  const whole = engine.report()
  const limbBytes = parameters.ringDegree * 8
  const output: Ciphertext = result.ciphertexts[0]!
  return {
    keyRequest: JSON.parse(JSON.stringify(whole.keyRequest)) as Plan['keyRequest'],
    input: {
      level: inputLevel,
      scale,
      slots: inputLayout.slots,
      ciphertexts: inputLayout.ciphertexts,
      layout: plainObject(inputLayout),
    },
    output: {
      level: output.level,
      scale: output.scale,
      slots: result.layout.slots,
      ciphertexts: result.ciphertexts.length,
      layout: plainObject(result.layout),
    },
    report: {
      depth: inputLevel - output.level,
      logN: parameters.logN,
      logQP: parameters.logQP,
      securityMarginBits: parameters.securityMargin,
      ...operationCounts(whole.totals),
      keys: {
        count:
          whole.keyRequest.rotations.length +
          (whole.keyRequest.relinearization === undefined ? 0 : 1) +
          (whole.keyRequest.conjugation === undefined ? 0 : 1),
        bytes: whole.keyBytes,
        fileBytes: whole.keyFileBytes,
      },
      ciphertexts: {
        input: inputLayout.ciphertexts,
        inputBytes: inputLayout.ciphertexts * parameters.limbsAt(inputLevel) * parameters.ringDegree * 6,
        output: result.ciphertexts.length,
        outputBytes: result.ciphertexts.length * 2 * parameters.limbsAt(output.level) * parameters.ringDegree * 6,
      },
      memory: { peakBytes: Math.round(whole.peakBytes + 2 * limbBytes), weightBytes: whole.plaintextBytes.peak },
      seconds: layers.reduce((sum, l) => sum + l.seconds, 0),
      encodeSeconds: layers.reduce((sum, l) => sum + l.encodeSeconds, 0),
      costModel: costModel.name,
      threads: costModel.threads,
      precisionBits: layers.at(-1)!.precisionBits,
      failureProbability: 0,
      layers,
    },
  }
}

function operationCounts(totals: Readonly<Partial<Record<string, number>>>): {
  rotations: number
  products: number
  plaintextProducts: number
} {
  const of = (...kinds: string[]) => kinds.reduce((sum, kind) => sum + (totals[kind] ?? 0), 0)
  return {
    rotations: of('rotate', 'conjugate', 'hoistedRotation', 'transformBaby', 'transformGiant'),
    products: of('mul'),
    plaintextProducts: of('mulPlain', 'transformTerm', 'matrixProduct', 'mulScalar'),
  }
}

const plainObject = (value: object): Record<string, unknown> => JSON.parse(JSON.stringify(value))
const worst = (bits: readonly number[]): number =>
  bits.reduce((a, b) => Math.min(a, Number.isFinite(b) ? b : 1074), 1074)
const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`
