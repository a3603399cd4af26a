/** Results that say nothing of the input arrive like all others, or are refused before any key exists. */
import { type Ciphertext, PlanError } from '@he-ml/ckks-core'
import { createTensor, type Layer, Model, type Tensor } from '@he-ml/model'
import { activation, add, linear } from '@he-ml/nn-layers'
import { describe, expect, it } from 'vitest'
import { approximate, chain, deepChain, MemoryCheckpoints, nativeStage } from '../pipeline.test-helper.ts'
import { fit } from '../ready/fit.ts'
import { Runner } from '../run/run.ts'
import { compile, compileAndBind } from './compile.ts'
import { findConstants } from './find-constants.ts'
import { inputLayoutFor } from './input-layout.ts'
import { lowerModel } from './lower-model.ts'
import type { CompileOptions } from './options.ts'

const image = createTensor([2], Float64Array.of(0.5, -0.25))
const full = (name: string, rows: readonly (readonly number[])[], bias: readonly number[]): Layer =>
  linear({
    name,
    weights: createTensor([rows.length, rows[0]!.length], Float64Array.from(rows.flat())),
    bias: Float64Array.from(bias),
  })

const packings = ['batch', 'multiplexed'] as const
const optionsFor = (packing: (typeof packings)[number]): CompileOptions => ({
  packing,
  scaleBits: 34,
  ...(packing === 'batch' ? { batch: 1 } : {}),
})

/** Through real ciphertexts and checkpoints, as a client and a server would. */
async function encrypted(model: Model, packing: (typeof packings)[number], input: Tensor = image) {
  const bound = await compileAndBind(model, { ...optionsFor(packing), calibration: await fit(model, [input]) })
  await using stage = await nativeStage(bound)
  const inputs: Ciphertext[] = await stage.encrypt([input])
  const output = await new Runner(bound, stage.engine).run(inputs, { checkpoints: new MemoryCheckpoints() })
  const [got] = await stage.decrypt(output, 1)
  return { got: got!.data, want: approximate(bound.model, input).data, plan: bound.plan }
}

describe.each(packings)('results without weights, %s', (packing) => {
  it.each([
    ['one row of zeros', [0, 0, 0.5, 2], [0]],
    ['all zeros', [0, 0, 0, 0], [0, 1]],
    ['weights that round to zero', [1e-14, -1e-14, 0.5, 2], [0]],
  ] as const)('%s: the answer arrives', async (_, weights, constant) => {
    const model = chain('m', [2], [full('fc', [weights.slice(0, 2), weights.slice(2)], [1, 2])])
    const { got, want, plan } = await encrypted(model, packing)
    for (const [i, w] of want.entries()) expect(got[i]).toBeCloseTo(w, 4)
    expect(plan.report.constantOutputs).toEqual(constant)
  })

  it('a value inside the network that is all zero feeds later layers', async () => {
    const model = chain(
      'm',
      [2],
      [
        full(
          'pruned',
          [
            [0, 0],
            [0, 0],
          ],
          [0, 0],
        ),
        activation({ name: 'act', function: 'square' }),
        full(
          'fc',
          [
            [0.5, 2],
            [3, -1],
          ],
          [1, 2],
        ),
      ],
    )
    const { got, want } = await encrypted(model, packing)
    expect([...want]).toEqual([1, 2])
    for (const [i, w] of want.entries()) expect(got[i]).toBeCloseTo(w, 4)
  })

  it('x - x is refused by name before any key exists', async () => {
    const nodes = [
      {
        layer: full(
          'minus',
          [
            [-1, 0],
            [0, -1],
          ],
          [0, 0],
        ),
        inputs: ['x'],
      },
      { layer: add({ name: 'nothing' }), inputs: ['x', 'minus'] },
      { layer: full('fc', [[1, 1]], [1]), inputs: ['nothing'] },
    ]
    const model = new Model({ name: 'm', input: { name: 'x', shape: [2] }, nodes })
    const refused = await compile(model, optionsFor(packing)).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(PlanError)
    expect(refused).toMatchObject({ reason: 'constant' })
    expect((refused as Error).message).toMatch(/layer "nothing".*cancels out/)
  })

  it('a sum in which two pruned branches meet is not taken for x - x', async () => {
    const nodes = [
      {
        layer: full(
          'a',
          [
            [0, 0],
            [1, 0],
          ],
          [0, 0],
        ),
        inputs: ['x'],
      },
      {
        layer: full(
          'b',
          [
            [0, 0],
            [0, 1],
          ],
          [1, 0],
        ),
        inputs: ['x'],
      },
      { layer: add({ name: 'sum' }), inputs: ['a', 'b'] },
    ]
    const model = new Model({ name: 'm', input: { name: 'x', shape: [2] }, nodes })
    const { got, plan } = await encrypted(model, packing)
    expect(got[0]).toBeCloseTo(1, 4)
    expect(got[1]).toBeCloseTo(0.25, 4)
    expect(plan.report.constantOutputs).toEqual([0])
  })
})

describe('x - x', () => {
  it('is found inside a layer too, where two channels are the same', async () => {
    const twins = full(
      'twins',
      [
        [1, 0.5],
        [1, 0.5],
      ],
      [0, 0],
    )
    const model = chain(
      'm',
      [2],
      [
        twins,
        full(
          'fc',
          [
            [1, -1],
            [1, 1],
          ],
          [0, 0],
        ),
      ],
    )
    await expect(compile(model, optionsFor('batch'))).rejects.toThrow(/layer "fc".*cancels out/)
    // in one ciphertext with another value it does no harm
    expect((await compile(model, optionsFor('multiplexed'))).report.constantOutputs).toEqual([0])
  })
  it('is not seen where an activation merely may be dead', async () => {
    const model = chain(
      'm',
      [2],
      [
        full(
          'fc1',
          [
            [1, 1],
            [1, -1],
          ],
          [-9, 0],
        ),
        activation({ name: 'act', function: 'relu' }),
        full('fc', [[1, 2]], [0]),
      ],
    )
    const calibration = await fit(model, [image, createTensor([2], Float64Array.of(-1, 1))])
    const plan = await compile(model, { ...optionsFor('multiplexed'), calibration, activation: { degree: 3 } })
    expect(plan.report.constantOutputs).toBeUndefined()
  })
})

describe('a deep network that contracts', () => {
  it('still depends on its input, however little: 40 convolutions with squares', () => {
    const model = deepChain(40, 'square')
    const made = lowerModel(model, inputLayoutFor(model, 'multiplexed', 1, 2 ** 12), 2 ** 12)
    expect(findConstants(model, made)).toEqual([])
  })
})
