import { type AnyParameters, insecureParameters, PlanError } from '@he-ml/ckks-core'
import { activation, conv2d } from '@he-ml/nn-layers'
import { createBatchLayout } from '@he-ml/packing'
import { describe, expect, it } from 'vitest'
import { chain, deepChain, images, randomTensor, residual, smallCnn } from '../pipeline.test-helper.ts'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { fit } from '../ready/fit.ts'
import { compileAndBind } from './compile.ts'
import { assertMemoryPossible, leastMemory } from './least-memory.ts'
import { lowerModel } from './lower-model.ts'

const parameters: AnyParameters = insecureParameters({ logN: 10, levels: 9, scaleBits: 40, dnum: 3 })
const networkOf = ({ model, program, parameters }: BoundPlan) =>
  lowerModel(model, program.input.layout, parameters.maxSlots)
const levelsOf = ({ plan }: BoundPlan) =>
  new Map(plan.tasks.flatMap((task) => ('layer' in task ? [[task.layer, task.level] as const] : [])))
/** Bytes of a ciphertext at a level. */
const ciphertext = (level: number) => 2 * parameters.limbsAt(level) * 1024 * 8

describe('the bound on memory', () => {
  it('counts inputs, results and what is read later, at the levels that readers need', () => {
    const model = chain(
      'm',
      [1, 8, 8],
      [
        conv2d({ name: 'conv', weights: randomTensor([4, 1, 3, 3], 1), padding: 1 }),
        activation({ name: 'act', function: 'square' }),
      ],
    )
    const lowered = lowerModel(model, createBatchLayout([1, 8, 8], { slots: 512 }), 512)
    // 256 ciphertexts at level 1 are squared into 256 at level 0
    expect(leastMemory(lowered, parameters)).toEqual({ bytes: 256 * (ciphertext(1) + ciphertext(0)), layer: 'act' })
  })

  it.each([
    ['one image', { packing: 'multiplexed' }],
    ['a batch', { packing: 'batch', batch: 8 }],
  ] as const)('is below the peak of the simulation: %s', async (_, packing) => {
    const bound = await compileAndBind(smallCnn(), { scaleBits: 28, ...packing })
    const least = leastMemory(networkOf(bound), bound.parameters, levelsOf(bound)).bytes
    expect(least).toBeGreaterThan(0)
    expect(least).toBeLessThanOrEqual(bound.plan.report.memory.leanPeakBytes)
  })

  it('refuses a batch in a deep network before anything is priced, by layer and number', async () => {
    const model = residual(3)
    const calibration = await fit(model, images(3))
    const options = { calibration, packing: 'batch', activation: { degree: 15 }, memory: 2 ** 26 } as const
    const refused = await compileAndBind(model, options).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(PlanError)
    expect(refused).toMatchObject({ reason: 'memory' })
    expect((refused as Error).message).toMatch(
      /layer "\w+" alone keeps at least .*up to 128 of them.*the limit is 64\.0 MiB/,
    )
  })

  it('without a limit only what surely needs more than 96 GiB, or a long simulation, is refused', () => {
    const model = deepChain(1, 'square')
    const wide = lowerModel(model, createBatchLayout([1, 8, 8], { slots: 512 }), 512)
    const vast = { ringDegree: 2 ** 40, logN: 40, limbsAt: () => 1 } as unknown as AnyParameters
    expect(() => assertMemoryPossible(wide, parameters, undefined)).not.toThrow()
    expect(() => assertMemoryPossible(wide, vast, undefined)).toThrow(/whose memory is given by the option memory/)
    expect(() => assertMemoryPossible(wide, vast, 2 ** 60)).not.toThrow()
    const node = wide.nodes[0]!
    const output = { ...node.circuit.outputs[0]!, ciphertexts: 10 }
    const nodes = Array.from({ length: 30_000 }, (_, i) => ({
      ...node,
      name: `n${i}`,
      outputs: [`n${i}`],
      circuit: { ...node.circuit, outputs: [output] },
    }))
    const many = { ...wide, nodes, output: 'n29999' }
    expect(() => assertMemoryPossible(many, parameters, undefined)).toThrow(/300000 over all layers/)
  })
})
