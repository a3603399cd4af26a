/** Small ONNX files for tests, written with the same schema that reads them, and the reference runtime. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import type { Tensor } from '@he-ml/model'
import * as ort from 'onnxruntime-node'
import {
  type AttributeProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
} from '../generated/onnx-subset_pb.ts'

export type AttributeValue = number | readonly number[] | string | { float: number } | { tensor: TensorSpec }
export interface TensorSpec {
  readonly dims: readonly number[]
  readonly data: ArrayLike<number | bigint>
  /** 1 float32, 2 uint8, 3 int8, 6 int32, 7 int64, 9 bool, 10 float16 (bit patterns), 11 float64. */
  readonly type?: 1 | 2 | 3 | 6 | 7 | 9 | 10 | 11
  /** Use the typed field instead of raw bytes. */
  readonly typed?: boolean
}
export interface NodeSpec {
  readonly op: string
  readonly inputs: readonly string[]
  readonly output: string
  /** Outputs after the first. */
  readonly more?: readonly string[]
  readonly attributes?: Readonly<Record<string, AttributeValue>>
  readonly domain?: string
}
export interface OnnxSpec {
  readonly input: readonly (number | string)[]
  readonly nodes: readonly NodeSpec[]
  readonly initializers?: Readonly<Record<string, TensorSpec>>
  readonly output?: string
  readonly opset?: number
  /** Of the input; default 1, float32. */
  readonly elementType?: number
}

const RAW = {
  1: (v) => Float32Array.from(v, Number),
  2: (v) => Uint8Array.from(v, Number),
  3: (v) => Int8Array.from(v, Number),
  6: (v) => Int32Array.from(v, Number),
  7: (v) => BigInt64Array.from(v, BigInt),
  9: (v) => Uint8Array.from(v, Number),
  10: (v) => Uint16Array.from(v, Number),
  11: (v) => Float64Array.from(v, Number),
} as const satisfies Record<number, (values: (number | bigint)[]) => ArrayBufferView<ArrayBuffer>>

function tensorInit({ dims, data, type = 1, typed = false }: TensorSpec, name = '') {
  const values = Array.from(data)
  const init: MessageInitShape<typeof TensorProtoSchema> = { name, dataType: type, dims: dims.map(BigInt) }
  if (typed && type === 1) init.floatData = values.map(Number)
  else if (typed && type === 11) init.doubleData = values.map(Number)
  else if (typed && type === 7) init.int64Data = values.map(BigInt)
  else if (typed) init.int32Data = values.map(Number)
  else init.rawData = new Uint8Array(RAW[type](values).buffer)
  return init
}

function attributeInit(name: string, value: AttributeValue): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === 'number') return { name, type: 2, i: BigInt(value) }
  if (typeof value === 'string') return { name, type: 3, s: new TextEncoder().encode(value) }
  if ('float' in value) return { name, type: 1, f: value.float }
  if ('tensor' in value) return { name, type: 4, t: tensorInit(value.tensor) }
  return { name, type: 7, ints: value.map(BigInt) }
}

export function buildOnnx(spec: OnnxSpec): Uint8Array {
  const shape = {
    dim: spec.input.map((d) => ({
      value:
        typeof d === 'number'
          ? { case: 'dimValue' as const, value: BigInt(d) }
          : { case: 'dimParam' as const, value: d },
    })),
  }
  const node = spec.nodes.map(
    (n, i): MessageInitShape<typeof NodeProtoSchema> => ({
      name: `n${i}`,
      opType: n.op,
      input: [...n.inputs],
      output: [n.output, ...(n.more ?? [])],
      domain: n.domain ?? '',
      attribute: Object.entries(n.attributes ?? {}).map(([name, value]) => attributeInit(name, value)),
    }),
  )
  const output = spec.output ?? spec.nodes.at(-1)?.output ?? ''
  const model = create(ModelProtoSchema, {
    irVersion: (spec.opset ?? 13) < 10 ? 4n : 8n,
    opsetImport: [{ version: BigInt(spec.opset ?? 13) }],
    graph: {
      name: 'test',
      node,
      initializer: Object.entries(spec.initializers ?? {}).map(([name, t]) => tensorInit(t, name)),
      input: [
        { name: 'x', type: { value: { case: 'tensorType', value: { elemType: spec.elementType ?? 1, shape } } } },
      ],
      output: [{ name: output, type: { value: { case: 'tensorType', value: { elemType: 1 } } } }],
    },
  })
  return toBinary(ModelProtoSchema, model)
}

/** What onnxruntime makes of images in one batch, without its graph optimisation, which rewrites what is to be compared. */
export async function runReference(bytes: Uint8Array, ...images: readonly Tensor[]): Promise<Float64Array> {
  const session = await ort.InferenceSession.create(bytes, {
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
    graphOptimizationLevel: 'disabled',
  })
  const data = Float32Array.from(images.flatMap((image) => [...image.data]))
  const input = new ort.Tensor('float32', data, [images.length, ...images[0]!.shape])
  const results = await session.run({ [session.inputNames[0]!]: input })
  const [first] = Object.values(results)
  await session.release()
  return Float64Array.from(first!.data as Float32Array)
}

/** Repeatable numbers in [-1, 1). */
export function random(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 31 - 1
  }
}
