/**
 * The bits that plans with bootstraps predict, and the real ones: three circuits at full, 128-bit secure parameters. Seconds are
 * the business of the benchmark predictions.
 */
import {
  type Bootstrapping,
  bootstrappingSet,
  createBootstrapping,
  createPlanEngine,
  highRmsFactor,
  type KeyRequest,
  KeyRequestBuilder,
  listKeyNeeds,
  lowRmsFactor,
} from '@he-ml/ckks-core'
import type { SecretKey } from '@he-ml/ckks-core/client'
import { createNativeEngine, loadEvaluationKeys, type NativeEngine } from '@he-ml/ckks-native'
import { createNativeClient, type NativeClient } from '@he-ml/ckks-native/client'
import type { Model } from '@he-ml/model'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  approximate,
  deepChain,
  images,
  leastBits,
  mostBits,
  NativeStage,
  precisionBits,
  residual,
} from '../pipeline.test-helper.ts'
import { fit } from '../ready/fit.ts'
import { Runner } from '../run/run.ts'
import { compileAndBind } from './compile.ts'

const set = { set: 'N16-B10' }
/** Results of each network. */
const RUNS = 2
/** Outputs of each network, so many that their mean square is steady. */
const OUTPUTS = 64

interface Party {
  readonly client: NativeClient
  readonly secret: SecretKey
  readonly engine: NativeEngine
}

/** A circuit and the bits that it may leave; with its weights encoded it gives the real ones, any number of times. */
interface Circuit {
  readonly name: string
  readonly keyRequest: KeyRequest
  readonly predicted: number
  readonly least: number
  readonly most: number
  prepare(party: Party): Promise<() => Promise<number>>
}

/** One bootstrap of a full ciphertext. */
async function bareBootstrap(bootstrapping: Bootstrapping): Promise<Circuit> {
  const { inputLevel: level, parameters, spec } = bootstrapping
  const plan = createPlanEngine(parameters)
  // both parts are sines of anything: a mean square of 1/2 each
  const planned = (await bootstrapping.prepare(plan)).bootstrap(plan, plan.input({ level, magnitude: 1 }))
  const predicted = plan.estimate(planned).precisionBits
  const tail = { values: 2 * spec.slots, failure: 2 ** -40 }
  return {
    name: 'bootstrap',
    keyRequest: plan.report().keyRequest,
    predicted,
    least: predicted - 1 - Math.log2(highRmsFactor(tail)),
    most: predicted + 1 - Math.log2(lowRmsFactor(tail)),
    async prepare({ client, secret, engine }) {
      const prepared = await bootstrapping.prepare(engine)
      const [re, im] = [1, 1.3].map((seed) =>
        Float64Array.from({ length: spec.slots }, (_, i) => Math.sin(seed * (i + 1) ** 2)),
      ) as [Float64Array, Float64Array]
      return async () => {
        const file = await client.encrypt(secret, [{ values: { re, im } }], { level })
        using encrypted = await engine.importCiphertext(file)
        using fresh = prepared.bootstrap(engine, encrypted)
        const [got] = await client.decrypt(secret, await engine.exportCiphertext(fresh))
        let square = 0
        for (let i = 0; i < re.length; i++) square += (got!.re[i]! - re[i]!) ** 2 + (got!.im[i]! - im[i]!) ** 2
        return -0.5 * Math.log2(square / re.length)
      }
    },
  }
}

async function network(model: Model): Promise<Circuit> {
  const calibration = await fit(model, images(30))
  const bound = await compileAndBind(model, {
    calibration,
    activation: { degree: 15, margin: 1.3 },
    bootstrapping: set,
    // the outputs of many squares hardly vary, so relative to their range no bits are left
    precisionBits: Number.NEGATIVE_INFINITY,
  })
  const { report, keyRequest } = bound.plan
  const bootstraps = report.layers.reduce((sum, l) => sum + (l.refresh?.bootstraps ?? 0), 0)
  return {
    name: `${model.name}, ${bootstraps} bootstraps`,
    keyRequest: keyRequest as KeyRequest,
    predicted: report.precisionBits,
    least: leastBits(bound, RUNS),
    most: mostBits(bound, RUNS),
    async prepare({ client, secret, engine }) {
      const stage = new NativeStage(bound, engine, client, secret)
      const runner = new Runner(bound, engine)
      const given = images(RUNS, 7)
      const wanted = given.map((image) => approximate(bound.model, image))
      return async () => {
        const got = []
        for (const image of given) {
          const input = await stage.encrypt([image])
          const output = await runner.run(input)
          got.push(...(await stage.decrypt(output, 1)))
          for (const used of [...input, ...output.ciphertexts]) used.dispose()
        }
        return precisionBits(got, wanted)
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

describe('bits as predicted', () => {
  let party: Party
  const circuits = new Map<string, Circuit>()
  const measures = new Map<string, () => Promise<number>>()
  beforeAll(async () => {
    const { parameters, spec } = bootstrappingSet(set.set)
    const bootstrapping = createBootstrapping(parameters, spec)
    circuits.set('a bootstrap', await bareBootstrap(bootstrapping))
    circuits.set('squares', await network(deepChain(18, 'square', OUTPUTS)))
    circuits.set('a residual network', await network(residual(3, OUTPUTS)))
    party = await parties(bootstrapping, [...circuits.values()])
    for (const [which, circuit] of circuits) measures.set(which, await circuit.prepare(party))
  })
  afterAll(async () => {
    await party.engine.dispose()
    await party.client.dispose()
  })

  it.each(['a bootstrap', 'squares', 'a residual network'])('%s', async (which) => {
    const { name, predicted, least, most } = circuits.get(which)!
    const bits = await measures.get(which)!()
    console.log(
      `${name}: predicted ${predicted.toFixed(1)} bits, measured ${bits.toFixed(1)}, allowed ${least.toFixed(1)} to ${most.toFixed(1)}`,
    )
    expect(bits).toBeGreaterThan(least)
    expect(bits).toBeLessThan(most)
  })
})
