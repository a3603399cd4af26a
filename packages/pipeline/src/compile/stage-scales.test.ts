import {
  createTensor,
  foldFactors,
  forwardAll,
  forwardApproximate,
  Model,
  type NodeDescription,
  type Tensor,
} from '@he-ml/model'
import { activation, add, averagePool2d, conv2d, flatten, linear } from '@he-ml/nn-layers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  approximate,
  bitsOfCopies,
  clearStage,
  images,
  precisionBits,
  randomTensor,
  residual,
} from '../pipeline.test-helper.ts'
import { calibrateActivations } from '../ready/calibrate-activations.ts'
import { fit } from '../ready/fit.ts'
import { Runner } from '../run/run.ts'
import { compileAndBind } from './compile.ts'

const DEGREE_7_DEPTH = 3

/** What a block of a random graph is. */
type Block = 'after' | 'before' | 'projected' | 'twice'

/** A stem and residual blocks; the trunk is read by both branches of every block. */
function graph(blocks: readonly Block[], pooled: boolean, seed: number): Model {
  const nodes: NodeDescription[] = []
  const put = (layer: NodeDescription['layer'], ...inputs: string[]): string => {
    nodes.push({ layer, inputs })
    return layer.name
  }
  const conv = (name: string, input: string, channels = 2): string => {
    const weights = randomTensor([2, channels, 3, 3], seed + nodes.length, 0.5)
    return put(conv2d({ name, weights, bias: randomTensor([2], seed - nodes.length, 0.2).data, padding: 1 }), input)
  }
  const relu = (name: string, input: string): string => put(activation({ name, function: 'relu' }), input)
  let trunk = relu('relu', conv('stem', 'image', 1))
  if (pooled) trunk = put(averagePool2d({ name: 'pool', kernel: 2 }), trunk)
  for (const [i, block] of blocks.entries()) {
    const start = block === 'before' ? relu(`r${i}`, trunk) : trunk
    let branch = conv(`a${i}`, start)
    if (block !== 'before') branch = conv(`b${i}`, relu(`r${i}`, branch))
    const other = block === 'projected' ? conv(`p${i}`, trunk) : trunk
    trunk = put(add({ name: `sum${i}` }), branch, other)
    if (block === 'twice') trunk = put(add({ name: `double${i}` }), trunk, trunk)
    if (block !== 'before') trunk = relu(`out${i}`, trunk)
  }
  const flat = put(flatten({ name: 'flat' }), trunk)
  put(linear({ name: 'fc', weights: randomTensor([3, pooled ? 32 : 128], seed, 0.2) }), flat)
  return new Model({ name: 'graph', input: { name: 'image', shape: [1, 8, 8] }, nodes })
}

/** Levels when only convolutions, linear layers and polynomials take any. */
function leastDepth({ nodes, input, output }: Model): number {
  const depth = new Map([[input.name, 0]])
  for (const { name, layer, inputs } of nodes) {
    const own = layer.kind === 'activation' ? DEGREE_7_DEPTH : ['conv2d', 'linear'].includes(layer.kind) ? 1 : 0
    depth.set(name, own + Math.max(...inputs.map((input) => depth.get(input)!)))
  }
  return depth.get(output)!
}

/** The layer's value for every name. */
function valuesOf(model: Model, image: Tensor, polynomials: boolean): ReadonlyMap<string, Tensor> {
  const values = new Map<string, Tensor>()
  model.evaluate(image, ({ name, layer }, inputs) => {
    const results = polynomials ? forwardApproximate(layer, inputs) : forwardAll(layer, inputs)
    values.set(name, results[0]!)
    return results
  })
  return values
}

function expectScaled(model: Model, folded: ReturnType<typeof foldFactors>, polynomials: boolean): void {
  const [image] = images(1) as [Tensor]
  const after = valuesOf(folded.model, image, polynomials)
  for (const [name, { shape, data }] of valuesOf(model, image, polynomials)) {
    const factor = folded.factors.get(name)!
    const scaled = createTensor(
      shape,
      data.map((v) => v * factor),
    )
    const largest = Math.max(1e-3 * factor, ...scaled.data.map(Math.abs))
    const worst = Math.max(...scaled.data.map((v, i) => Math.abs(v - after.get(name)!.data[i]!)))
    expect(worst / largest, name).toBeLessThan(1e-10)
  }
}

const options = { degree: 7, margin: 1.2 }
const kinds: readonly Block[] = ['after', 'before', 'projected', 'twice']

describe('one scale per stage', () => {
  it('takes no level for any activation of a random residual graph, and no value changes', async () => {
    const graphs = fc.tuple(
      fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      fc.nat(999),
    )
    await fc.assert(
      fc.asyncProperty(graphs, async ([blocks, pooled, seed]) => {
        const model = graph(blocks, pooled, seed)
        const plain = calibrateActivations(model, await fit(model, images(3)), options)
        const folded = foldFactors(plain)
        expect(depthOf(folded.model)).toBe(leastDepth(model))
        expectScaled(plain, folded, false)
        // where activations share a stage their ranges grow a little, and their polynomials are others
        if (!blocks.includes('before')) expectScaled(plain, folded, true)
      }),
      { numRuns: 25, seed: 22 },
    )
  })
  it.each([
    ['after', 1, 0],
    // the first reads what a ReLU made: a line
    ['before', 2, 1],
  ] as const)(
    'computes what the clear network does, on the clear engine: activations %s',
    async (block, count, lines) => {
      const model = graph(new Array<Block>(count).fill(block), false, 5)
      const calibration = await fit(model, images(20))
      const bound = await compileAndBind(model, { calibration, activation: options, bootstrapping: 'never', logN: 15 })
      const depth = leastDepth(model) - lines * (DEGREE_7_DEPTH - 1)
      expect(bound.plan.report.depth).toBe(depth)
      expect(bound.plan.input.level).toBe(depth)
      const [image] = images(1, 8)
      const stage = clearStage(bound, true)
      const output = await new Runner(bound, stage.engine).run(await stage.encrypt([image!]))
      const bits = precisionBits(await stage.decrypt(output, 1), [approximate(bound.model, image!)])
      expect(bits).toBeGreaterThan(bound.plan.report.precisionBits - bitsOfCopies(bound) - 3)
      expect(bits).toBeGreaterThan(10)
    },
  )
  it('is one level less per addition than a scale for every activation', async () => {
    const model = residual(4)
    const calibration = await fit(model, images(5))
    const { plan } = await compileAndBind(model, { calibration, activation: options, bootstrapping: { set: 'N15-B4' } })
    // stem, 4 blocks of two convolutions, fc; 9 activations: four more with a level after each addition
    expect(plan.report.depth).toBe(10 + 9 * DEGREE_7_DEPTH)
  })
})

/** As the layers' circuits have it; layouts do not matter here. */
function depthOf(model: Model): number {
  const depth = new Map([[model.input.name, 0]])
  for (const { name, layer, inputs } of model.nodes) {
    let own = 0
    if ('inputScale' in layer) own = DEGREE_7_DEPTH + (Number.isInteger(layer.inputScale) ? 0 : 1)
    else if (['conv2d', 'linear', 'averagePool2d'].includes(layer.kind)) own = 1
    depth.set(name, own + Math.max(...inputs.map((input) => depth.get(input)!)))
  }
  return depth.get(model.output)!
}
