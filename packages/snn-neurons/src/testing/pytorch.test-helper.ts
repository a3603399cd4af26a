/** The same neurons in PyTorch, in a process of its own (pytorch_neurons.py beside this file), where PyTorch is installed. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Neuron, Reals, SurrogateDescription } from '../index.ts'

const SCRIPT = fileURLToPath(new URL('./pytorch_neurons.py', import.meta.url))
const MOST_OUTPUT = 2 ** 28

/** An interpreter that can import torch: HE_ML_PYTHON, else python3 of the path, else the system's. */
export function findPyTorch(): string | undefined {
  const candidates = process.env.HE_ML_PYTHON ? [process.env.HE_ML_PYTHON] : ['python3', '/usr/bin/python3']
  return candidates.find((python) => spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0)
}

/** A matrix, row-major. */
export interface Matrix {
  readonly shape: readonly [rows: number, columns: number]
  readonly data: Reals
}

/** One population over all time steps; x [T, n], or weights [n, m] and inputs [T, m] that give it. */
export interface PyTorchTask {
  readonly neuron: Neuron
  readonly x?: Matrix
  readonly weights?: Matrix
  readonly inputs?: Matrix
  /** Of the loss, with respect to the results; asks for the gradient of x. */
  readonly gradients?: { readonly spikes: Matrix; readonly membranePotentials: Matrix }
  readonly surrogate?: SurrogateDescription
  readonly detachReset?: boolean
}

/** All [T, n]. */
export interface PyTorchResult {
  readonly x: Reals
  readonly charged: Reals
  readonly spikes: Reals
  readonly membranePotentials: Reals
  readonly inputGradient?: Reals
}

interface Encoded {
  readonly dtype: 'float32' | 'float64'
  readonly shape: readonly number[]
  readonly data: string
}

/** @throws InvalidArgumentError with what Python said */
export function runPyTorch(python: string, tasks: readonly PyTorchTask[]): PyTorchResult[] {
  const input = JSON.stringify(tasks, (_, value: unknown) => (isMatrix(value) ? encode(value) : value))
  const { status, stdout, stderr } = spawnSync(python, [SCRIPT], { input, encoding: 'utf8', maxBuffer: MOST_OUTPUT })
  if (status !== 0) throw new InvalidArgumentError(`pytorch_neurons.py ended with status ${status}: ${stderr}`)
  const { results } = JSON.parse(stdout) as { results: Record<string, Encoded>[] }
  return results.map(
    (result) => Object.fromEntries(Object.entries(result).map(([k, v]) => [k, decode(v)])) as unknown as PyTorchResult,
  )
}

const isMatrix = (value: unknown): value is Matrix =>
  typeof value === 'object' && value !== null && 'shape' in value && 'data' in value && ArrayBuffer.isView(value.data)

const encode = ({ shape, data }: Matrix): Encoded => ({
  dtype: data instanceof Float32Array ? 'float32' : 'float64',
  shape,
  data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
})

function decode({ dtype, data }: Encoded): Reals {
  const { buffer } = Uint8Array.from(Buffer.from(data, 'base64'))
  return dtype === 'float32' ? new Float32Array(buffer) : new Float64Array(buffer)
}
