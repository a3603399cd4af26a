/**
 * A residual network put together layer by layer: what somebody does whose network is in no file. Weights are random here; its
 * answers mean nothing, but it takes as long as a trained one, and the encrypted answers are the clear ones all the same.
 */
import { createTensor, Model, type NodeDescription, type Shape, sizeOf, type Tensor } from '@he-ml/model'
import { activation, add, conv2d, flatten, globalAveragePool, linear } from '@he-ml/nn-layers'

export interface ResNetShape {
  readonly name: string
  /** Blocks of two convolutions in each stage; every stage but the first halves the image. */
  readonly blocks: readonly number[]
  /** Channels of each stage. */
  readonly widths: readonly number[]
  readonly classes: number
}

/** The "ResNet-34" of the batched-inference literature, for images of 32 x 32. */
export const RESNET34: ResNetShape = {
  name: 'resnet34-random',
  blocks: [3, 4, 6, 3],
  widths: [16, 32, 64, 128],
  classes: 100,
}

/** @returns a network for images of 3 x 32 x 32; the same weights every time */
export function composeResNet({ name, blocks, widths, classes }: ResNetShape): Model {
  const random = new SeededNormal(34)
  const nodes: NodeDescription[] = []
  let last = 'image'
  let channels = 3
  /** @returns the name of what it puts behind `from` */
  const convolve = (
    name: string,
    from: string,
    [outputs, inputs, kernel, stride]: [number, number, number, number],
  ) => {
    const weights = random.tensor([outputs, inputs, kernel, kernel], Math.sqrt(2 / (inputs * kernel * kernel)))
    const bias = random.tensor([outputs], 0.05).data
    nodes.push({ layer: conv2d({ name, weights, bias, stride, padding: (kernel - 1) / 2 }), inputs: [from] })
    return name
  }
  const relu = (name: string, from: string): string => {
    nodes.push({ layer: activation({ name, function: 'relu' }), inputs: [from] })
    return name
  }
  last = relu('stem relu', convolve('stem', last, [widths[0]!, channels, 3, 1]))
  channels = widths[0]!
  for (const [stage, width] of widths.entries())
    for (let block = 0; block < blocks[stage]!; block++) {
      const at = `${stage + 1}.${block + 1}`
      const stride = stage > 0 && block === 0 ? 2 : 1
      const inner = relu(`${at} relu`, convolve(`${at} first`, last, [width, channels, 3, stride]))
      const outer = convolve(`${at} second`, inner, [width, width, 3, 1])
      const short = stride === 1 ? last : convolve(`${at} short`, last, [width, channels, 1, stride])
      nodes.push({ layer: add({ name: `${at} sum` }), inputs: [outer, short] })
      last = relu(`${at} out`, `${at} sum`)
      channels = width
    }
  nodes.push({ layer: globalAveragePool({ name: 'pool' }), inputs: [last] })
  nodes.push({ layer: flatten({ name: 'flat' }), inputs: ['pool'] })
  nodes.push({
    layer: linear({ name: 'classes', weights: random.tensor([classes, channels], 1 / Math.sqrt(channels)) }),
    inputs: ['flat'],
  })
  return new Model({ name, input: { name: 'image', shape: [3, 32, 32] }, nodes })
}

/** Normal numbers that are the same every time. */
class SeededNormal {
  #state: number
  constructor(seed: number) {
    this.#state = seed
  }
  tensor(shape: Shape, deviation: number): Tensor {
    return createTensor(
      shape,
      Float64Array.from({ length: sizeOf(shape) }, () => deviation * this.#next()),
    )
  }
  #next(): number {
    return Math.sqrt(-2 * Math.log(this.#uniform())) * Math.cos(2 * Math.PI * this.#uniform())
  }
  /** In (0, 1). */
  #uniform(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0
    return (this.#state + 0.5) / 2 ** 32
  }
}
