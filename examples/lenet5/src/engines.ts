/**
 * What the demo runs on: the native engine where its addon loads, else node-seal, which needs no compiler, has one thread and a heap of
 * 4 GB, and so holds fewer networks.
 */
import type { AnyParameters, EngineHost } from '@he-ml/ckks-core'
import type { ClientEngine } from '@he-ml/ckks-core/client'
import { createNativeHost, kernels, nativeAvailable } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { assertSealHolds, sealCostModel, sealParameters } from '@he-ml/ckks-seal'
import { createSealClient } from '@he-ml/ckks-seal/client'
import { createSealHost } from '@he-ml/ckks-seal/node'
import { type CompileOptions, type Plan, parametersOf } from '@he-ml/pipeline'

/** Both sides of one kind of engine, and what plans for it look like. */
export interface Engines {
  readonly name: 'native' | 'seal'
  /** For people: what computes, on how many threads. */
  readonly description: string
  /** Bits of the scale that network (b) is given: no more than keep its ring at 2^13. */
  readonly scaleBits: number
  /** What a plan for it is compiled with, beside what the network wants. */
  readonly compile: Pick<CompileOptions, 'bootstrapping' | 'request' | 'costModel'>
  makeClient(parameters: AnyParameters): ClientEngine | Promise<ClientEngine>
  makeHost(parameters: AnyParameters): EngineHost | Promise<EngineHost>
  /** @throws PlanError for a plan whose keys and values it cannot hold */
  assertHolds(plan: Plan): void
}

function nativeEngines(threads: number): Engines {
  return {
    name: 'native',
    description: `kernel ${kernels().active}, ${threads} thread${threads === 1 ? '' : 's'}`,
    scaleBits: 28,
    compile: {},
    makeClient: (parameters) => createNativeClient(parameters, { threads }),
    makeHost: (parameters) => createNativeHost(parameters, { threads }),
    assertHolds: () => {},
  }
}

const SEAL: Engines = {
  name: 'seal',
  description: 'node-seal, 1 thread, since the native engine is not here: slower, and for small networks',
  scaleBits: 26,
  compile: {
    bootstrapping: 'never',
    costModel: sealCostModel(),
    request: sealParameters,
  },
  makeClient: createSealClient,
  makeHost: createSealHost,
  assertHolds: (plan) =>
    assertSealHolds({
      parameters: parametersOf(plan),
      keysAtOnce: Math.max(0, ...plan.tasks.map(({ keys }) => keys.length)),
      valueBytes: plan.report.memory.peakBytes - plan.report.keys.bytes,
    }),
}

/** @param native whether the native engine is here */
export const chooseEngines = (threads: number, native = nativeAvailable()): Engines =>
  native ? nativeEngines(threads) : SEAL
