/** PyTorch's side: benchmarks/peers/pytorch in a process of its own. */
import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { UnsupportedError } from '@he-ml/ckks-core'
import type { NeuronModel } from '@he-ml/example-train-spiking-lenet5/network'
import type { NetworkDescription } from '@he-ml/snn-training'
import { LineProcess } from '../line-process.ts'
import { repositoryRoot } from '../places.ts'

const SCRIPT = join(repositoryRoot, 'benchmarks/peers/pytorch/spiking_lenet5.py')
const MOST_OUTPUT = 2 ** 28

/** An interpreter that can import torch: HE_ML_PYTHON, else python3 of the path, else the system's. */
export function findPyTorch(): string | undefined {
  const candidates = process.env.HE_ML_PYTHON ? [process.env.HE_ML_PYTHON] : ['python3', '/usr/bin/python3']
  return candidates.find((python) => spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0)
}

/** What the peer needs to know of a run. */
export interface PeerTask {
  readonly neuron: NeuronModel
  /** Of the rectangle that stands for the step's derivative. */
  readonly surrogate: { readonly width: number; readonly height: number }
  readonly timeSteps: number
  readonly batchSize: number
  readonly learningRate: number
}

/** @throws UnsupportedError for neurons with another surrogate than the rectangle, or for different ones in a network */
export function peerTask(
  { layers, timeSteps }: NetworkDescription,
  training: Pick<PeerTask, 'batchSize' | 'learningRate'>,
): PeerTask {
  const all = layers.flatMap((layer) => (layer.kind === 'neuron' ? [layer] : []))
  const [first] = all
  if (
    first?.surrogate.kind !== 'rectangle' ||
    new Set(all.map((l) => JSON.stringify([l.neuron, l.surrogate]))).size > 1
  )
    throw new UnsupportedError(
      'the PyTorch peer needs one kind of neuron with one rectangle for its surrogate gradient',
    )
  const { width, height = 1 / (2 * width) } = first.surrogate
  return { neuron: first.neuron, surrogate: { width, height }, timeSteps, ...training }
}

export interface ReadyLine {
  readonly peer: string
  /** What was fastest of the ways to write it, by name. */
  readonly ways: Readonly<Record<string, string>>
}

/** Of one turn, or, after the last step, of the test digits. */
export interface TurnLine {
  readonly seconds: number
  readonly steps: number
  readonly images: number
  readonly loss: number
  readonly accuracy?: number
}

export interface PeerOptions {
  readonly python: string
  readonly task: PeerTask
  /** Folder of MNIST's files. */
  readonly data: string
  readonly threads: number
  /** Steps of a turn. */
  readonly chunk: number
  /** Images of the epoch. */
  readonly images: number
}

/** The peer, warm, its fastest way chosen; each go() is a turn. */
export async function startPeer({ python, task, data, threads, chunk, images }: PeerOptions) {
  const file = await temporaryJson(task)
  const numbers = { threads, chunk, limit: images }
  const args = Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, String(value)])
  const process = new LineProcess<TurnLine>(python, [SCRIPT, '--data', data, '--task', file.path, ...args], 'PyTorch')
  try {
    const ready = (await process.next()) as unknown as ReadyLine
    return { ready, process }
  } finally {
    await file.remove()
  }
}

/** float32 values for Python. */
export const encodeTensor = (shape: readonly number[], data: Float32Array) => ({
  shape,
  data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
})

export interface PeerPass {
  readonly ways: Readonly<Record<string, string>>
  readonly loss: number
  readonly scores: Float32Array
  readonly gradients: ReadonlyMap<string, Float32Array>
}

interface EncodedPass {
  readonly ways: PeerPass['ways']
  readonly loss: number
  readonly scores: { readonly data: string }
  readonly gradients: Readonly<Record<string, { readonly data: string }>>
}

/** Scores, loss and gradients of one batch for given weights, once for either choice of every way to write it. */
export async function peerPasses(python: string, task: object): Promise<PeerPass[]> {
  const file = await temporaryJson(task)
  try {
    const options = { maxBuffer: MOST_OUTPUT }
    const { stdout } = await promisify(execFile)(python, [SCRIPT, '--threads', '1', '--check', file.path], options)
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => decodePass(JSON.parse(line) as EncodedPass))
  } finally {
    await file.remove()
  }
}

function decodePass({ ways, loss, scores, gradients }: EncodedPass): PeerPass {
  const floats = (data: string) => new Float32Array(Uint8Array.from(Buffer.from(data, 'base64')).buffer)
  return {
    ways,
    loss,
    scores: floats(scores.data),
    gradients: new Map(Object.entries(gradients).map(([name, { data }]) => [name, floats(data)])),
  }
}

async function temporaryJson(value: object) {
  const folder = await mkdtemp(join(tmpdir(), 'he-ml-peer-'))
  const path = join(folder, 'task.json')
  await writeFile(path, JSON.stringify(value))
  return { path, remove: () => rm(folder, { recursive: true, force: true }) }
}
