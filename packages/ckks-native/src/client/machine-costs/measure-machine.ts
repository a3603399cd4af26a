/**
 * A cost model of this machine in a few seconds: every kind of operation is timed on the native engine at N = 2^15 or 2^16 with
 * throw-away keys, all threads busy, and the default model's time of that kind is scaled to what was measured. It lives
 * beside the client because it makes keys.
 */
import {
  type Ciphertext,
  type CostModel,
  createDefaultCostModel,
  createParameters,
  type DiagonalMatrix,
  FormatError,
  OPERATION_KINDS,
  type OperationKind,
  operationSize,
  type Parameters,
  prepareLinearTransform,
  scaleCostModel,
} from '@he-ml/ckks-core'
import { z } from 'zod'
import { importCiphertexts } from '../../ciphertext-files.ts'
import { throwIfAborted } from '../../errors.ts'
import { loadEvaluationKey } from '../../keys/load-keys.ts'
import { createNativeEngine, type NativeEngine } from '../../native-engine.ts'
import { createNativeClient } from '../native-client.ts'

/** Measured factors, as stored by `he-ml bench --out`. */
export interface MachineCosts {
  readonly format: 'he-ml/machine'
  readonly version: 1
  readonly kernel: string
  readonly threads: number
  /** Ring of the measurement; absent: 15. */
  readonly logN?: 15 | 16
  readonly factors: Partial<Record<OperationKind, number>>
}

export interface MeasureOptions {
  /** Default: the machine's cores. */
  readonly threads?: number
  /**
   * Ring in which operations are timed. Default 15: four seconds. 16, for plans with bootstraps: there one limb is half a
   * megabyte, and passes and rescaling cost up to twice as much for each element; takes 1.5 GB and ten seconds.
   */
  readonly logN?: 15 | 16
  readonly signal?: AbortSignal
  readonly onProgress?: (fraction: number) => void
}

const RINGS = {
  15: { logN: 15, levels: 11, scaleBits: 40, dnum: 3 },
  16: { logN: 16, levels: 21, scaleBits: 46, dnum: 3 },
} as const

const BABIES = 8
const GIANTS = 4
const MATRIX_COLUMNS = 32
const MATRIX_ROWS = 16

/**
 * Times the native engine.
 * @throws CancelledError through the signal; UnsupportedError when the engine cannot be loaded
 */
export async function measureMachine(options: MeasureOptions = {}): Promise<MachineCosts> {
  const parameters = createParameters(RINGS[options.logN ?? 15])
  await using engine = createNativeEngine(parameters, options.threads === undefined ? {} : { threads: options.threads })
  const input = await prepareKeys(engine, parameters, options)
  const base = createDefaultCostModel({ threads: engine.threads })
  const size = operationSize(parameters, parameters.maxLevel)
  const measured = await timeAll(engine, input, options)
  const factors: Partial<Record<OperationKind, number>> = {}
  for (const kind of OPERATION_KINDS) {
    const seconds = measured[kind]
    if (seconds !== undefined) factors[kind] = seconds / base.seconds(kind, size)
  }
  const { logN } = options
  const { kernel, threads } = engine
  return { format: 'he-ml/machine', version: 1, kernel, threads, ...(logN === undefined ? {} : { logN }), factors }
}

/** The cost model that measured factors stand for. */
export function machineCostModel(costs: MachineCosts): CostModel {
  const base = createDefaultCostModel({ threads: costs.threads })
  return scaleCostModel(base, costs.factors, { name: `${costs.kernel}, ${costs.threads} threads, measured` })
}

const schema = z.strictObject({
  format: z.literal('he-ml/machine'),
  version: z.literal(1),
  kernel: z.string().max(64),
  threads: z.number().int().min(1).max(4096),
  logN: z.union([z.literal(15), z.literal(16)]).optional(),
  factors: z.partialRecord(z.enum(OPERATION_KINDS), z.number().positive().max(1e6)),
})

/** Reads what `he-ml bench --out` wrote. @throws FormatError naming the field */
export function parseMachineCosts(text: string): MachineCosts {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new FormatError(`machine costs: not JSON: ${(error as Error).message}`)
  }
  const result = schema.safeParse(json)
  if (result.success) return result.data as MachineCosts
  const issue = result.error.issues[0]!
  throw new FormatError(`machine costs: field "${issue.path.join('.') || '(root)'}": ${issue.message}`)
}

async function prepareKeys(engine: NativeEngine, parameters: Parameters, options: MeasureOptions): Promise<Ciphertext> {
  const client = createNativeClient(parameters, { threads: engine.threads })
  try {
    using secret = await client.generateSecretKey()
    const level = parameters.maxLevel
    const steps = [
      ...Array.from({ length: BABIES }, (_, i) => i + 1),
      ...Array.from({ length: GIANTS - 1 }, (_, i) => 16 * (i + 1)),
    ]
    const request = { relinearization: level, rotations: steps.map((s) => ({ steps: s, level })) }
    let made = 0
    for await (const key of client.generateEvaluationKeys(secret, request)) {
      throwIfAborted(options.signal, 'measuring the machine was cancelled')
      await loadEvaluationKey(engine, key.bytes)
      options.onProgress?.((0.4 * ++made) / (steps.length + 1))
    }
    const values = Float64Array.from({ length: parameters.maxSlots }, (_, i) => Math.cos(i))
    const { ciphertexts } = await importCiphertexts(engine, await client.encrypt(secret, [{ values }]))
    return ciphertexts[0]!
  } finally {
    await client.dispose()
  }
}

/** Seconds per operation of each kind. */
async function timeAll(
  engine: NativeEngine,
  x: Ciphertext,
  options: MeasureOptions,
): Promise<Partial<Record<OperationKind, number>>> {
  const { level, scale, slots } = x
  const values = Float64Array.from({ length: slots }, (_, i) => Math.sin(i))
  const plaintext = engine.encode(values, { level, scale })
  const product = engine.mul(x, x)
  let step = 0
  /** Median over rounds of the seconds of one of `count` operations queued together. */
  const time = async (count: number, run: () => Disposable | readonly Disposable[]): Promise<number> => {
    throwIfAborted(options.signal, 'measuring the machine was cancelled')
    const rounds: number[] = []
    for (let round = 0; round < 4; round++) {
      await engine.drain()
      const started = performance.now()
      const results = Array.from({ length: count }, run)
      // a result that is given back before it is computed would be skipped
      await engine.drain()
      rounds.push((performance.now() - started) / 1000 / count)
      for (const result of results.flat()) (result as Disposable)[Symbol.dispose]()
    }
    options.onProgress?.(Math.min(0.99, 0.4 + (0.6 * ++step) / 16))
    return rounds.slice(1).sort((a, b) => a - b)[1]!
  }
  const transform = async (babies: number, giants: number): Promise<number> => {
    const diagonals: DiagonalMatrix['diagonals'] = new Map(
      Array.from({ length: giants * babies }, (_, i) => [16 * Math.floor(i / babies) + (i % babies) + 1, values]),
    )
    const prepared = await prepareLinearTransform(
      engine,
      { slots, diagonals },
      { level, split: { length: 16, offset: 0 } },
    )
    try {
      return await time(2, () => engine.linearTransform(x, prepared))
    } finally {
      prepared.dispose()
    }
  }
  const rotate = await time(4, () => engine.rotate(x, 1))
  const hoisted = await time(1, () =>
    engine.rotateHoisted(
      x,
      Array.from({ length: BABIES }, (_, i) => i + 1),
    ),
  )
  const hoistedRotation = Math.max(rotate * 0.1, (hoisted - rotate) / (BABIES - 1))
  const decompose = Math.max(rotate * 0.05, rotate - hoistedRotation)
  const one = await transform(1, 1)
  const row = await transform(BABIES, 1)
  const block = await transform(BABIES, GIANTS)
  const model = createDefaultCostModel({ threads: engine.threads })
  const size = operationSize(engine.parameters, level)
  const of = (kind: OperationKind) => model.seconds(kind, size)
  // a row is decompose + babies (baby + term) + modDown: baby and term share one factor, as do giant step and modDown
  const inner = Math.max(0, row - one) / (BABIES - 1) / (of('transformBaby') + of('transformTerm'))
  const moreTerms = BABIES * (GIANTS - 1) * inner * of('transformTerm')
  const outer = Math.max(0.1 * (block - row), block - row - moreTerms) / (GIANTS - 1) / of('transformGiant')
  const columns = Array.from({ length: MATRIX_COLUMNS }, () => x)
  const weights = {
    rows: MATRIX_ROWS,
    columns: MATRIX_COLUMNS,
    data: new Float64Array(MATRIX_ROWS * MATRIX_COLUMNS).fill(0.37),
  }
  const measured: Partial<Record<OperationKind, number>> = {
    rotate,
    conjugate: rotate,
    decompose,
    hoistedRotation,
    transformBaby: inner * of('transformBaby'),
    transformTerm: inner * of('transformTerm'),
    transformGiant: outer * of('transformGiant'),
    modDown: outer * of('modDown'),
    encode: await time(8, () => engine.encode(values, { level, scale, extended: true })),
    add: await time(16, () => engine.add(x, x)),
    addPlain: await time(16, () => engine.addPlain(x, plaintext)),
    addScalar: await time(16, () => engine.addScalar(x, 0.5)),
    mulScalar: await time(16, () => engine.mulScalar(x, 0.5)),
    mulPlain: await time(16, () => engine.mulPlain(x, plaintext)),
    mul: await time(16, () => engine.mul(x, x)),
    relinearize: await time(4, () => engine.relinearize(product)),
    rescale: await time(8, () => engine.rescale(x)),
    dropLevel: await time(16, () => engine.dropLevel(x, level - 1)),
    matrixProduct: (await time(2, () => engine.matrixProduct(columns, weights))) / (MATRIX_ROWS * MATRIX_COLUMNS),
  }
  plaintext.dispose()
  product.dispose()
  x.dispose()
  options.onProgress?.(1)
  return measured
}
