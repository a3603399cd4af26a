/**
 * What plans with bootstraps predict, and what really happens: three circuits at full, 128-bit secure parameters. A shared
 * machine is now faster, now slower, so its cost model is measured before, between and after the runs, and means are compared.
 */
import {
  type Bootstrapping,
  bootstrappingSet,
  type CostModel,
  createBootstrapping,
  createPlanEngine,
  type KeyRequest,
  KeyRequestBuilder,
  listKeyNeeds,
} from '@he-ml/ckks-core'
import type { SecretKey } from '@he-ml/ckks-core/client'
import { createNativeEngine, loadEvaluationKeys, type NativeEngine } from '@he-ml/ckks-native'
import { createNativeClient, machineCostModel, measureMachine, type NativeClient } from '@he-ml/ckks-native/client'
import type { Model } from '@he-ml/packing'
import { expect, it } from 'vitest'
import { fit } from '../fit/fit.ts'
import { approximate, deepChain, images, NativeStage, precisionBits, residual } from '../pipeline.test-helper.ts'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { Runner } from '../run/run.ts'
import { compileAndBind } from './compile.ts'
import { simulate } from './simulate.ts'

const set = { set: 'N16-B10' }
const ROUNDS = 2

interface Party {
  readonly client: NativeClient
  readonly secret: SecretKey
  readonly engine: NativeEngine
}

/** A circuit that can be predicted and run; a run gives its seconds and bits. */
interface Circuit {
  readonly name: string
  readonly keyRequest: KeyRequest
  predict(costModel: CostModel): Promise<{ readonly seconds: number; readonly bits: number }>
  /** Encodes what it needs and encrypts an input; gives a function to run it. */
  start(party: Party): Promise<() => Promise<{ readonly seconds: number; readonly bits: number }>>
}

const timed = async <T>(run: () => Promise<T>): Promise<{ readonly result: T; readonly seconds: number }> => {
  const started = performance.now()
  const result = await run()
  return { result, seconds: (performance.now() - started) / 1000 }
}

/** One bootstrap of a full ciphertext. */
async function bareBootstrap(bootstrapping: Bootstrapping): Promise<Circuit> {
  const { inputLevel: level, parameters, spec } = bootstrapping
  const plan = async (costModel?: CostModel) => {
    const engine = createPlanEngine(parameters, costModel ? { costModel } : {})
    const prepared = await bootstrapping.prepare(engine)
    const since = engine.checkpoint()
    // both parts are sines of anything: a mean square of 1/2 each
    const fresh = prepared.bootstrap(engine, engine.input({ level, magnitude: 1 }))
    const { seconds } = engine.report({ since })
    return { seconds, bits: engine.estimate(fresh).precisionBits, keyRequest: engine.report().keyRequest }
  }
  return {
    name: 'bootstrap',
    keyRequest: (await plan()).keyRequest,
    predict: plan,
    async start({ client, secret, engine }) {
      const prepared = await bootstrapping.prepare(engine)
      const [re, im] = [1, 1.3].map((seed) =>
        Float64Array.from({ length: spec.slots }, (_, i) => Math.sin(seed * (i + 1) ** 2)),
      ) as [Float64Array, Float64Array]
      const file = await client.encrypt(secret, [{ values: { re, im } }], { level })
      const input = await engine.importCiphertext(file)
      await engine.drain()
      return async () => {
        const { result: fresh, seconds } = await timed(async () => {
          const result = prepared.bootstrap(engine, input)
          await result.ready()
          return result
        })
        const [got] = await client.decrypt(secret, await engine.exportCiphertext(fresh))
        fresh.dispose()
        let square = 0
        for (let i = 0; i < re.length; i++) square += (got!.re[i]! - re[i]!) ** 2 + (got!.im![i]! - im[i]!) ** 2
        return { seconds, bits: -0.5 * Math.log2(square / re.length) }
      }
    },
  }
}

/** A network; its plan is made with the first cost model and priced again with the others. */
async function network(model: Model, costModel: CostModel): Promise<Circuit> {
  const calibration = await fit(model, images(30))
  const bound: BoundPlan = await compileAndBind(model, {
    calibration,
    activation: { degree: 15, margin: 1.3 },
    bootstrapping: set,
    costModel,
  })
  const { report, keyRequest } = bound.plan
  const bootstraps = report.layers.reduce((sum, l) => sum + (l.refresh?.bootstraps ?? 0), 0)
  return {
    name: `${model.name}, ${bootstraps} bootstraps`,
    keyRequest: keyRequest as KeyRequest,
    predict: async (other) => {
      const { seconds } = (await simulate(bound.schedule, bound.parameters, other)).report
      return { seconds, bits: report.precisionBits }
    },
    async start({ client, secret, engine }) {
      const stage = new NativeStage(bound, engine, client, secret)
      const runner = new Runner(bound, engine)
      await runner.prepare()
      const given = images(1, 7)
      const inputs = await stage.encrypt(given)
      const want = given.map((image) => approximate(bound.model, image))
      return async () => {
        const { result: output, seconds } = await timed(() => runner.run(inputs))
        const bits = precisionBits(await stage.decrypt(output, 1), want)
        output.dispose()
        return { seconds, bits }
      }
    },
  }
}

async function parties(bootstrapping: Bootstrapping, circuits: readonly Circuit[]): Promise<Party> {
  const keys = new KeyRequestBuilder()
  for (const { keyRequest } of circuits) for (const need of listKeyNeeds(keyRequest)) keys.add(need)
  const client = createNativeClient(bootstrapping.parameters)
  const engine = createNativeEngine(bootstrapping.parameters)
  const secret = await client.generateSecretKey()
  const files = client.generateEvaluationKeys(secret, keys.build())
  await loadEvaluationKeys(
    engine,
    (async function* () {
      for await (const { bytes } of files) yield bytes
    })(),
  )
  return { client, engine, secret }
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

it('a bootstrap, squares, a residual network: seconds and bits as predicted', { timeout: 1_200_000 }, async () => {
  const machine = async () => machineCostModel(await measureMachine())
  const { parameters, spec } = bootstrappingSet(set.set)
  const bootstrapping = createBootstrapping(parameters, spec)
  const costs = await machine()
  const circuits = [
    await bareBootstrap(bootstrapping),
    await network(deepChain(18, 'square'), costs),
    await network(residual(3), costs),
  ]
  const party = await parties(bootstrapping, circuits)
  try {
    for (const circuit of circuits) {
      const run = await circuit.start(party)
      const predictions = [await circuit.predict(await machine())]
      const runs: { readonly seconds: number; readonly bits: number }[] = []
      for (let round = 0; round < ROUNDS; round++) {
        runs.push(await run())
        predictions.push(await circuit.predict(await machine()))
      }
      const [predicted, measured] = [predictions, runs].map((all) => mean(all.map((x) => x.seconds))) as [
        number,
        number,
      ]
      const ratio = predicted / measured
      const [predictedBits, bits] = [predictions[0]!.bits, runs[0]!.bits]
      console.log(
        `${circuit.name}: predicted ${predictions.map((p) => p.seconds.toFixed(2))} s, measured ${runs.map((r) => r.seconds.toFixed(2))} s, ratio ${ratio.toFixed(2)}; predicted ${predictedBits.toFixed(1)} bits, measured ${bits.toFixed(1)}`,
      )
      // 1.25 and 2 bits are the goals; machines that others use as well are not that steady
      expect(ratio, circuit.name).toBeGreaterThan(0.5)
      expect(ratio, circuit.name).toBeLessThan(2)
      expect(Math.abs(predictedBits - bits), circuit.name).toBeLessThan(2.5)
    }
  } finally {
    await party.engine.dispose()
    await party.client.dispose()
  }
})
