import { createParameters } from '@he-ml/ckks-core'
import { createNativeEngine, loadEvaluationKeys } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { createTensor, type Tensor } from '@he-ml/model'
import { createNeuron, type Neuron } from '@he-ml/model/spiking'
import { createMultiplexedLayout, PackedTensor, pack, unpack } from '@he-ml/packing'
import { normalAt } from '@he-ml/snn-neurons'
import { afterAll, describe, expect, it } from 'vitest'
import { polynomialSpikeStep } from './polynomial-step.ts'
import { spiking } from './spiking-layer.ts'

const parameters = createParameters({ logN: 15, levels: 12, scaleBits: 40, dnum: 13 })
const SIZE = 256
const TIME_STEPS = 2
/** Depth 3, once per time step. */
const step = polynomialSpikeStep({ width: 0.8 })
const statistics = { count: 9, min: -3, max: 4, mean: 0, std: 1, histogram: new Float64Array(8) }

describe('two time steps on real ciphertexts', () => {
  const client = createNativeClient(parameters)
  const server = createNativeEngine(parameters)
  const cases: [string, Neuron][] = (['subtract', 'zero'] as const).flatMap((reset): [string, Neuron][] => [
    [`lif, ${reset}`, createNeuron({ kind: 'lif', beta: 0.6, threshold: 1, reset })],
    [`qif, ${reset}`, createNeuron({ kind: 'qif', a: 0.25, u1: -0.125, u2: 0.5, threshold: 0.75, reset })],
  ])

  afterAll(async () => {
    await server.dispose()
    await client.dispose()
  })

  it('are those of the clear layer with the same soft step', async () => {
    const secret = await client.generateSecretKey()
    server.unloadKeys()
    const keys = client.generateEvaluationKeys(secret, { relinearization: parameters.maxLevel, rotations: [] })
    await loadEvaluationKeys(
      server,
      (async function* () {
        for await (const { bytes } of keys) yield bytes
      })(),
    )
    const layout = createMultiplexedLayout([SIZE], { maxSlots: parameters.maxSlots })
    for (const [name, neuron] of cases) {
      const fitted = spiking({ name: 'neurons', neuron, step }).calibrate(statistics, { margin: 1, degree: 7 })
      const layer = fitted.withFactors(fitted.factorGroups.map(({ wanted }) => wanted ?? 1))
      let level = parameters.maxLevel
      let carried: { encrypted: PackedTensor; clear: Tensor } | undefined
      for (let t = 0; t < TIME_STEPS; t++) {
        const x = createTensor(
          [SIZE],
          Float64Array.from({ length: SIZE }, (_, i) => layer.membraneFactor * 0.6 * normalAt(8, SIZE * t + i)),
        )
        const [values] = pack(x, layout)
        const encrypted = await client.encrypt(secret, [{ values: values! }], { level })
        const current = new PackedTensor(layout, [await server.importCiphertext(encrypted)])
        const inputs = carried ? [current, carried.encrypted] : [current]
        const lowered = layer.lower(inputs.map((tensor) => tensor.layout))
        using prepared = await lowered.prepare(server, { level })
        const [spike, membrane] = (await prepared.apply(server, inputs)) as [PackedTensor, PackedTensor]
        const wanted = layer.forwardAllApproximate(carried ? [x, carried.clear] : [x])
        for (const [i, { ciphertexts }] of [spike, membrane].entries()) {
          const [decrypted] = await client.decrypt(secret, await server.exportCiphertext(ciphertexts[0]!))
          const [got] = unpack([decrypted!.re], layout, 1)
          const worst = Math.max(...got!.data.map((v, k) => Math.abs(v - wanted[i]!.data[k]!)))
          expect(worst, `${name}, step ${t}, output ${i}`).toBeLessThan(2 ** -18)
        }
        for (const tensor of [...inputs, spike]) tensor.dispose()
        carried = { encrypted: membrane, clear: wanted[1]! }
        level -= lowered.depth
      }
      carried!.encrypted.dispose()
    }
    secret.dispose()
  })
})
