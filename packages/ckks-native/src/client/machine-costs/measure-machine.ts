/**
 * A cost model of this machine in a few seconds: every kind of operation is timed on the native engine at N = 2^15 or 2^16 with
 * throw-away keys, all threads busy, and the default model's time of that kind is scaled to what was measured. It lives
 * beside the client because it makes keys.
 */
import {
  type Ciphertext,
  createDefaultCostModel,
  createParameters,
  OPERATION_KINDS,
  type OperationKind,
  operationSize,
  type Parameters,
} from '@he-ml/ckks-core'
import { importCiphertexts } from '../../ciphertext-files.ts'
import { throwIfAborted } from '../../errors.ts'
import { loadEvaluationKey } from '../../keys/load-keys.ts'
import { createNativeEngine, type NativeEngine } from '../../native-engine.ts'
import { createNativeClient } from '../native-client.ts'
import type { MachineCosts } from './machine-costs.ts'
import { OperationStopwatch } from './operation-stopwatch.ts'
import { TIMED_STEPS, timeOperations } from './time-operations.ts'

/** Options of {@link measureMachine}. */
export interface MeasureOptions {
  /** Default: the machine's cores. */
  readonly threads?: number
  /**
   * Ring in which operations are timed. Default 15: four seconds. 16, for plans with bootstraps: there one limb is half a
   * megabyte, and passes and rescaling cost up to twice as much for each element; takes 1.5 GB and ten seconds.
   */
  readonly logN?: 15 | 16
  /** Stops between two measurements, with CancelledError. */
  readonly signal?: AbortSignal
  /** Called with the share of the work that is done, 0 to 1. */
  readonly onProgress?: (fraction: number) => void
}

const RINGS = {
  15: { logN: 15, levels: 11, scaleBits: 40, dnum: 3 },
  16: { logN: 16, levels: 21, scaleBits: 46, dnum: 3 },
} as const

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
  const measured = await timeOperations(engine, input, new OperationStopwatch(engine, options))
  options.onProgress?.(1)
  const factors: Partial<Record<OperationKind, number>> = {}
  for (const kind of OPERATION_KINDS) {
    const seconds = measured[kind]
    if (seconds !== undefined) factors[kind] = seconds / base.seconds(kind, size)
  }
  const { logN } = options
  const { kernel, threads } = engine
  return { format: 'he-ml/machine', version: 1, kernel, threads, ...(logN === undefined ? {} : { logN }), factors }
}

async function prepareKeys(engine: NativeEngine, parameters: Parameters, options: MeasureOptions): Promise<Ciphertext> {
  const client = createNativeClient(parameters, { threads: engine.threads })
  try {
    using secret = await client.generateSecretKey()
    const level = parameters.maxLevel
    const request = { relinearization: level, rotations: TIMED_STEPS.map((steps) => ({ steps, level })) }
    let made = 0
    for await (const key of client.generateEvaluationKeys(secret, request)) {
      throwIfAborted(options.signal, 'measuring the machine was cancelled')
      await loadEvaluationKey(engine, key.bytes)
      options.onProgress?.((0.4 * ++made) / (TIMED_STEPS.length + 1))
    }
    const values = Float64Array.from({ length: parameters.maxSlots }, (_, i) => Math.cos(i))
    const { ciphertexts } = await importCiphertexts(engine, await client.encrypt(secret, [{ values }]))
    return ciphertexts[0]!
  } finally {
    await client.dispose()
  }
}
