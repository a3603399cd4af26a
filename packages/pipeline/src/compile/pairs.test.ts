import type { ParametersRequest } from '@he-ml/ckks-core'
import { Model } from '@he-ml/model'
import { conv2d } from '@he-ml/nn-layers'
import { describe, expect, it } from 'vitest'
import { bindPlan } from '../bind/bind-plan.ts'
import { clearStage, precisionBits, randomTensor } from '../pipeline.test-helper.ts'
import { parsePlan } from '../plan/plan.ts'
import { Runner } from '../run/run.ts'
import { compile } from './compile.ts'
import type { CompileOptions } from './options.ts'

const model = new Model({
  name: 'conv',
  input: { name: 'image', shape: [8, 16, 16] },
  nodes: [
    { layer: conv2d({ name: 'conv', weights: randomTensor([8, 8, 3, 3], 3, 0.2), padding: 1 }), inputs: ['image'] },
  ],
})

/** One digit a limb and one special prime, as SEAL wants them: its slots have no exact i. */
const limbwise = (sizes: { logN: number; levels: number; scaleBits: number; baseBits: number }): ParametersRequest => ({
  ...sizes,
  specialBits: 47,
  specialPrimes: 1,
  dnum: sizes.levels + 1,
})

describe('pairs of inputs', () => {
  const sizes = { logN: 13, levels: 1, scaleBits: 36, baseBits: 44 }
  it.each<[string, CompileOptions, boolean]>([
    ['unless something is against it', {}, true],
    ['not for an engine that shapes its own parameters', { request: limbwise }, false],
    ['not in parameters of such an engine', { parameters: limbwise(sizes) }, false],
  ])('are planned, %s, and the plan says so when it is bound', async (_, options, pairs) => {
    const plan = await compile(model, { packing: 'multiplexed', bootstrapping: 'never', ...options })
    expect(plan.pairs).toBe(pairs)
    expect(plan.keyRequest.conjugation !== undefined).toBe(pairs)
    const bound = bindPlan(parsePlan(JSON.stringify(plan)), model)
    const { engine, encrypt, decrypt } = clearStage(bound)
    const image = randomTensor([8, 16, 16], 5)
    const got = await decrypt(await new Runner(bound, engine).run(await encrypt([image])), 1)
    expect(precisionBits(got, [model.forward(image)])).toBeGreaterThan(20)
  })
})
