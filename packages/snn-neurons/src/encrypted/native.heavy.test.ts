import { approximate } from '@he-ml/activations'
import { type Ciphertext, createParameters } from '@he-ml/ckks-core'
import { createNativeEngine, loadEvaluationKeys } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { createNeuron, type Neuron } from '@he-ml/model/spiking'
import { describe, expect, it } from 'vitest'
import { normalAt } from '../coding/counter-random.ts'
import { createNeuronKernel } from '../neuron/neuron-kernel.ts'
import { polynomialSpike } from '../neuron/spike-function.ts'
import { forwardThroughTime } from '../training/through-time.ts'
import { advanceEncrypted, polynomialStep } from './encrypted-neuron.ts'

const parameters = createParameters({ logN: 15, levels: 12, scaleBits: 40, dnum: 13 })
const SLOTS = 256
const TIME_STEPS = 2
/** Depth 3, once per time step. */
const polynomial = approximate('sigmoid', { range: [-5, 4], degree: 7 })

describe('two time steps on real ciphertexts', () => {
  const client = createNativeClient(parameters)
  const server = createNativeEngine(parameters)
  const cases: [string, Neuron][] = (['subtract', 'zero'] as const).flatMap((reset): [string, Neuron][] => [
    [`lif, ${reset}`, createNeuron({ kind: 'lif', beta: 0.6, threshold: 1, reset })],
    [`qif, ${reset}`, createNeuron({ kind: 'qif', a: 0.25, u1: -0.125, u2: 0.5, threshold: 0.75, reset })],
  ])

  it('are those of the clear neuron with the same soft step', async () => {
    const secret = await client.generateSecretKey()
    const keys = client.generateEvaluationKeys(secret, { relinearization: parameters.maxLevel, rotations: [] })
    await loadEvaluationKeys(
      server,
      (async function* () {
        for await (const { bytes } of keys) yield bytes
      })(),
    )
    for (const [name, neuron] of cases) {
      const input = Float64Array.from({ length: TIME_STEPS * SLOTS }, (_, i) => 0.6 * normalAt(8, i))
      const spike = polynomialSpike(neuron.threshold, polynomial)
      const clear = forwardThroughTime(createNeuronKernel(neuron), spike, input, TIME_STEPS)
      const step = polynomialStep(neuron.threshold, polynomial)
      let membranePotential: Ciphertext | undefined
      for (let t = 0; t < TIME_STEPS; t++) {
        const at = (values: Float32Array | Float64Array) => values.slice(t * SLOTS, (t + 1) * SLOTS)
        const encrypted = await client.encrypt(secret, [{ values: at(input) as Float64Array }])
        using x = await server.importCiphertext(encrypted)
        const out = advanceEncrypted(
          server,
          neuron,
          { ...(membranePotential ? { membranePotential } : {}), input: x },
          step,
        )
        membranePotential?.dispose()
        membranePotential = out.membranePotential
        const results = [
          [out.spike, clear.spikes],
          [out.membranePotential, clear.membranePotentials],
        ] as const
        for (const [handle, want] of results) {
          const [decrypted] = await client.decrypt(secret, await server.exportCiphertext(handle))
          const worst = Math.max(...Array.from(at(want), (v, i) => Math.abs(v - decrypted!.re[i]!)))
          expect(worst, `${name}, step ${t}`).toBeLessThan(2 ** -18)
        }
        out.charged.dispose()
        out.spike.dispose()
      }
      membranePotential!.dispose()
    }
    await server.dispose()
    await client.dispose()
  })
})
