/** Small networks, and both ways of running them. */
import {
  BOOTSTRAPPING_SETS,
  type BootstrappingSet,
  bootstrappingLiteral,
  type Ciphertext,
  createClearEngine,
  type Engine,
  highRmsFactor,
  insecureParametersWithFiles,
  type KeyRequest,
  lowRmsFactor,
  type Parameters,
} from '@he-ml/ckks-core'
import type { SecretKey } from '@he-ml/ckks-core/client'
import { createNativeEngine, loadEvaluationKeys, type NativeEngine } from '@he-ml/ckks-native'
import { createNativeClient, type NativeClient } from '@he-ml/ckks-native/client'
import {
  createTensor,
  forwardApproximate,
  type Layer,
  Model,
  type NodeDescription,
  type Shape,
  sizeOf,
  type Tensor,
} from '@he-ml/model'
import { activation, add, averagePool2d, conv2d, flatten, linear } from '@he-ml/nn-layers'
import { type PackedTensor, unpack } from '@he-ml/packing'
import { compileBootstrapped, draftOf } from './compile/compile.ts'
import type { CompileOptions } from './compile/options.ts'
import type { BoundPlan } from './plan/bound-plan.ts'
import { packInputs } from './plan/pack-inputs.ts'
import type { Plan, PlanTask } from './plan/plan-form.ts'
import type { CheckpointStore } from './run/checkpoint.ts'

/** The same, to be changed: what a test makes of a plan before it is read. */
export type Editable<T> = T extends number | string
  ? T
  : T extends object
    ? { -readonly [K in keyof T]: Editable<T[K]> }
    : T

/** Deterministic values in [-size, size]. */
export function randomTensor(shape: Shape, seed: number, size = 1): Tensor {
  let state = seed | 0
  const data = Float64Array.from({ length: sizeOf(shape) }, () => {
    state = (state + 0x9e3779b9) | 0
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return size * (((z ^ (z >>> 15)) >>> 0) / 2 ** 31 - 1)
  })
  return createTensor(shape, data)
}

export function chain(name: string, shape: Shape, layers: readonly Layer[]): Model {
  const nodes = layers.map((layer, i) => ({ layer, inputs: [i === 0 ? 'image' : layers[i - 1]!.name] }))
  return new Model({ name, input: { name: 'image', shape }, nodes })
}

/** conv 2@3x3, activation, average pool 2, linear 3; on 8 x 8 images. */
export function smallCnn(fn: 'square' | 'relu' = 'square', seed = 1): Model {
  return chain(
    'small',
    [1, 8, 8],
    [
      conv2d({
        name: 'conv',
        weights: randomTensor([2, 1, 3, 3], seed, 0.4),
        bias: randomTensor([2], seed + 1, 0.2).data,
      }),
      activation({ name: 'act', function: fn }),
      averagePool2d({ name: 'pool', kernel: 2 }),
      flatten({ name: 'flat' }),
      linear({ name: 'fc', weights: randomTensor([3, 18], seed + 2, 0.5), bias: randomTensor([3], seed + 3).data }),
    ],
  )
}

/** conv 2@3x3 and an activation, again and again, then a linear layer; on 8 x 8 images. Squares stay near (0.7)^2. */
export function deepChain(blocks: number, fn: 'square' | 'relu' = 'relu', outputs = 3): Model {
  const square = fn === 'square'
  const layers = Array.from({ length: blocks }, (_, i) => [
    conv2d({
      name: `conv${i}`,
      weights: randomTensor([2, i === 0 ? 1 : 2, 3, 3], 10 * i + 1, square ? 0.06 : i === 0 ? 0.8 : 0.45),
      bias: randomTensor([2], 10 * i + 2, 0.2).data.map((b) => (square ? 0.7 + b / 2 : 0.2 + b)),
      padding: 1,
    }),
    activation({ name: `act${i}`, function: fn }),
  ]).flat()
  const weights = randomTensor([outputs, 128], 991, 0.2)
  return chain('deep', [1, 8, 8], [...layers, flatten({ name: 'flat' }), linear({ name: 'fc', weights })])
}

/** Blocks of conv, activation, conv and a sum with what came in, then an activation; a linear layer at the end. */
export function residual(blocks: number, outputs = 3): Model {
  const conv = (name: string, channels: number, seed: number) => ({
    layer: conv2d({
      name,
      weights: randomTensor([2, channels, 3, 3], seed, channels === 1 ? 0.8 : 0.4),
      bias: randomTensor([2], seed + 1, 0.2).data,
      padding: 1,
    }),
  })
  const relu = (name: string) => ({ layer: activation({ name, function: 'relu' }) })
  const nodes: NodeDescription[] = [
    { ...conv('stem', 1, 1), inputs: ['image'] },
    { ...relu('relu'), inputs: ['stem'] },
  ]
  let last = 'relu'
  for (let i = 0; i < blocks; i++) {
    nodes.push({ ...conv(`a${i}`, 2, 20 * i + 3), inputs: [last] })
    nodes.push({ ...relu(`r${i}`), inputs: [`a${i}`] })
    nodes.push({ ...conv(`b${i}`, 2, 20 * i + 5), inputs: [`r${i}`] })
    nodes.push({ layer: add({ name: `sum${i}` }), inputs: [`b${i}`, last] })
    last = `out${i}`
    nodes.push({ ...relu(last), inputs: [`sum${i}`] })
  }
  const weights = randomTensor([outputs, 128], 991, 0.2)
  const end = [
    { layer: flatten({ name: 'flat' }), inputs: [last] },
    { layer: linear({ name: 'fc', weights }), inputs: ['flat'] },
  ]
  return new Model({ name: 'residual', input: { name: 'image', shape: [1, 8, 8] }, nodes: [...nodes, ...end] })
}

/** Three blocks as in deepChain, two branches of conv and activation, their sum, and another conv and activation. */
export function branches(): Model {
  const trunk = deepChain(3).nodes.slice(0, 6)
  const block = (name: string, input: string, seed: number): NodeDescription[] => [
    {
      layer: conv2d({
        name,
        weights: randomTensor([2, 2, 3, 3], seed, 0.45),
        bias: Float64Array.of(0.1, 0.3),
        padding: 1,
      }),
      inputs: [input],
    },
    { layer: activation({ name: `${name}Act`, function: 'relu' }), inputs: [name] },
  ]
  const left = block('left', 'act2', 71)
  const right = block('right', 'act2', 72)
  const nodes = [...trunk, left[0]!, right[0]!, left[1]!, right[1]!]
  const sum = { layer: add({ name: 'sum' }), inputs: ['leftAct', 'rightAct'] }
  return new Model({
    name: 'branches',
    input: { name: 'image', shape: [1, 8, 8] },
    nodes: [...nodes, sum, ...block('tail', 'sum', 73)],
  })
}

/** A bootstrapping set in a ring of degree 2^10: far from secure, and fast. */
export function insecureSet(levels: number): BootstrappingSet {
  const base = BOOTSTRAPPING_SETS['N16-B10']
  const spec = { ...base.spec, slots: 2 ** 9 }
  const specialBits = new Array<number>(8).fill(47.9)
  const parameters = insecureParametersWithFiles(bootstrappingLiteral({ ...base, logN: 10, levels, specialBits, spec }))
  // compile never makes such a thing: only a test may pass it for secure
  return { parameters: parameters as unknown as Parameters, spec }
}

/** A plan with bootstraps under insecure parameters. */
export const compileInsecure = (model: Model, levels: number, options: CompileOptions): Promise<BoundPlan> =>
  compileBootstrapped(draftOf(model, options), { sets: [insecureSet(levels)] })

export const images = (count: number, seed = 100): Tensor[] =>
  Array.from({ length: count }, (_, i) => randomTensor([1, 8, 8], seed + i))

/** What the circuit computes, in the clear. */
export const approximate = (model: Model, image: Tensor): Tensor =>
  model.evaluate(image, ({ layer }, inputs) => forwardApproximate(layer, inputs))

export interface Stage {
  readonly engine: Engine
  encrypt(images: readonly Tensor[]): Promise<Ciphertext[]>
  decrypt(output: PackedTensor, count: number): Promise<Tensor[]>
}

/** @param noise with a seed the same errors every time */
export function clearStage({ parameters, plan }: BoundPlan, noise: boolean | { readonly seed: number } = false): Stage {
  const engine = createClearEngine(parameters, { keys: plan.keyRequest as KeyRequest, noise })
  return {
    engine,
    encrypt: async (given) => packInputs(plan, given).map((v) => engine.encryptClear(v, { level: plan.input.level })),
    decrypt: async (output, count) =>
      unpack(
        output.ciphertexts.map((c) => engine.readClear(c).re),
        output.layout,
        count,
      ),
  }
}

export class NativeStage implements Stage, AsyncDisposable {
  readonly engine: NativeEngine
  readonly client: NativeClient
  readonly #bound: BoundPlan
  readonly #key: SecretKey
  constructor(bound: BoundPlan, engine: NativeEngine, client: NativeClient, key: SecretKey) {
    this.#bound = bound
    this.engine = engine
    this.client = client
    this.#key = key
  }
  async encrypt(given: readonly Tensor[]): Promise<Ciphertext[]> {
    const { plan } = this.#bound
    const ciphertexts: Ciphertext[] = []
    for (const values of packInputs(plan, given)) {
      const file = await this.client.encrypt(this.#key, [{ values }], { level: plan.input.level })
      ciphertexts.push(await this.engine.importCiphertext(file))
    }
    return ciphertexts
  }
  async decrypt(output: PackedTensor, count: number): Promise<Tensor[]> {
    const vectors: Float64Array[] = []
    for (const c of output.ciphertexts) {
      const [result] = await this.client.decrypt(this.#key, await this.engine.exportCiphertext(c))
      vectors.push(result!.re)
    }
    return unpack(vectors, output.layout, count)
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine.dispose()
    await this.client.dispose()
  }
}

export async function nativeStage(bound: BoundPlan): Promise<NativeStage> {
  const client = createNativeClient(bound.parameters)
  const engine = createNativeEngine(bound.parameters)
  const key = await client.generateSecretKey()
  const keys = client.generateEvaluationKeys(key, bound.plan.keyRequest as KeyRequest)
  await loadEvaluationKeys(
    engine,
    (async function* () {
      for await (const { bytes } of keys) yield bytes
    })(),
  )
  return new NativeStage(bound, engine, client, key)
}

/** Bits by which averaging the copies of a short period helps: the clear engine knows no copies. */
export const bitsOfCopies = ({ parameters, plan }: BoundPlan): number =>
  Math.log2(parameters.maxSlots / plan.output.slots) / 2

/** -log2 of the root mean square of the differences. */
export function precisionBits(got: readonly Tensor[], want: readonly Tensor[]): number {
  let sum = 2 ** -120
  let count = 0
  got.forEach((tensor, i) => {
    tensor.data.forEach((v, k) => {
      sum += (v - want[i]!.data[k]!) ** 2
      count++
    })
  })
  return -Math.log2(Math.sqrt(sum / count))
}

/** Probability with which a test of precision may fail although the prediction is sound; a hundred such tests fail below 1e-10. */
const FAILURE = 2 ** -40

/** Bits by which predictions may be off, either way (docs/notes/planning.md); merged bootstraps are off by more. */
const MODEL_BITS = 0.75

/** A prediction that `runs` results of a plan are compared with. */
const valuesOf = ({ plan }: BoundPlan, runs: number): number => runs * sizeOf(plan.model.output)

/** Fewer bits, over all values of `runs` results, come with probability 2^-40 at most if the prediction is off by `model` bits. */
export const leastBits = (bound: BoundPlan, runs: number, model = MODEL_BITS): number =>
  bound.plan.report.precisionBits -
  model -
  Math.log2(highRmsFactor({ values: valuesOf(bound, runs), failure: FAILURE }))

/** More bits come with probability 2^-40 at most. */
export const mostBits = (bound: BoundPlan, runs: number): number =>
  bound.plan.report.precisionBits +
  MODEL_BITS -
  Math.log2(lowRmsFactor({ values: valuesOf(bound, runs), failure: FAILURE }))

type PlanRefresh = Extract<PlanTask, { readonly values: readonly string[] }>

/** The bootstraps of a plan, in order. */
export const refreshesOf = ({ tasks }: Plan): PlanRefresh[] =>
  tasks.filter((task): task is PlanRefresh => 'values' in task)

/** Checkpoints in memory; the put number `failAt` fails. */
export class MemoryCheckpoints implements CheckpointStore {
  readonly files = new Map<string, Uint8Array>()
  puts = 0
  failAt = Number.POSITIVE_INFINITY
  async put(name: string, bytes: Uint8Array): Promise<void> {
    if (++this.puts >= this.failAt) throw new Error('the disk is full')
    this.files.set(name, bytes)
  }
  async get(name: string): Promise<Uint8Array | undefined> {
    return this.files.get(name)
  }
  async delete(name: string): Promise<void> {
    this.files.delete(name)
  }
  async clear(): Promise<void> {
    this.files.clear()
  }
}

/** Replaces, removes or adds something at a random place. */
export function mutate(value: unknown, path: number[], junk: unknown): unknown {
  if (typeof value !== 'object' || value === null || path.length === 0) return junk
  const keys = Object.keys(value)
  if (keys.length === 0) return junk
  const [first, ...rest] = path
  const key = keys[first! % keys.length]!
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>
  if (junk === undefined && rest.length === 0) delete copy[key]
  else if (junk === 'extra' && rest.length === 0) copy.extra = 1
  else copy[key] = mutate(copy[key], rest, junk)
  return copy
}
