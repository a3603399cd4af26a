/** Real processes of the command line in folders of their own, and a small network to run. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { buildOnnx, type NodeSpec, random, type TensorSpec } from '../../model-import/src/testing/build-onnx.ts'
import type { DiskFault } from './disk-fault.test-helper.ts'
import type { Plant } from './secrecy/plant.test-helper.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Paths of the programs that scripts/bundle-programs.ts has bundled. */
    programs: Readonly<Record<'he-ml' | keyof Loads, string>>
  }
}

/** What starts `he-ml`, whatever the working directory. */
export const COMMAND = [process.execPath, inject('programs')['he-ml']] as const

/** What modules that are loaded before `he-ml` are told. */
export interface Loads {
  readonly 'disk-fault'?: DiskFault
  readonly plant?: Plant
}

/** The same with modules loaded before. */
export function commandWith(loads: Loads): readonly string[] {
  const [node, program] = COMMAND
  const names = Object.keys(loads) as (keyof Loads)[]
  const told = names.map((name) => `HE_ML_${name.replace('-', '_').toUpperCase()}=${JSON.stringify(loads[name])}`)
  return ['env', ...told, node, ...names.flatMap((name) => ['--import', inject('programs')[name]]), program]
}

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** stdout as JSON. */
  json<T = Record<string, unknown>>(): T
}

export interface Running {
  readonly child: ChildProcess
  readonly done: Promise<Finished>
  /** Resolves when stderr has this text. */
  says(text: string): Promise<void>
  /** Resolves when stdout has it. */
  prints(text: string): Promise<void>
}

export function start(cwd: string, args: readonly string[], command: readonly string[] = COMMAND): Running {
  const child = spawn(command[0]!, [...command.slice(1), ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  const waiting: { text: string; resolve: () => void }[] = []
  const wanted: typeof waiting = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    for (const w of wanted) if (stdout.includes(w.text)) w.resolve()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    for (const w of waiting) if (stderr.includes(w.text)) w.resolve()
  })
  const done = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) =>
      resolve({ code, signal, stdout, stderr, json: <T>() => JSON.parse(stdout) as T }),
    )
  })
  const hear = (text: string, heard: () => string, others: typeof waiting) =>
    Promise.race([
      new Promise<void>((resolve) => {
        if (heard().includes(text)) resolve()
        else others.push({ text, resolve })
      }),
      done.then(({ code }) => {
        if (!heard().includes(text)) throw new Error(`ended with ${code} before it said "${text}":\n${stdout}${stderr}`)
      }),
    ])
  const says = (text: string) => hear(text, () => stderr, waiting)
  const prints = (text: string) => hear(text, () => stdout, wanted)
  return { child, done, says, prints }
}

/** Runs `he-ml` to its end. */
export const heMl = (cwd: string, ...args: string[]): Promise<Finished> => start(cwd, args).done

/** The same; any exit code but 0 is an error that shows what it said. */
export async function mustRun(cwd: string, ...args: string[]): Promise<Finished> {
  const result = await heMl(cwd, ...args)
  if (result.code !== 0) throw new Error(`he-ml ${args.join(' ')} ended with ${result.code}:\n${result.stderr}`)
  return result
}

export interface Folder extends AsyncDisposable {
  readonly path: string
  at(...names: string[]): string
}

export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'he-ml-cli-'))
  return {
    path,
    at: (...names) => join(path, ...names),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

export interface NetworkSize {
  readonly size: number
  readonly channels: number
  /** Convolutions with activations. */
  readonly blocks: number
}

/** conv + relu blocks, then a classifier of three classes. The seed makes different weights. */
export function network({ size, channels, blocks }: NetworkSize, seed = 1): Uint8Array {
  const next = random(seed)
  const tensor = (dims: number[], gain: number): TensorSpec => ({
    dims,
    data: Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => next() * gain),
  })
  const initializers: Record<string, TensorSpec> = {}
  const nodes: NodeSpec[] = []
  let from = 'x'
  let inputs = 1
  for (let b = 0; b < blocks; b++) {
    initializers[`w${b}`] = tensor([channels, inputs, 3, 3], 1 / inputs)
    nodes.push({ op: 'Conv', inputs: [from, `w${b}`], output: `c${b}`, attributes: { kernel_shape: [3, 3] } })
    nodes.push({ op: 'Relu', inputs: [`c${b}`], output: `r${b}` })
    from = `r${b}`
    inputs = channels
  }
  const side = size - 2 * blocks
  initializers.fc = tensor([3, channels * side * side], 0.3)
  nodes.push({ op: 'Flatten', inputs: [from], output: 'flat', attributes: { axis: 1 } })
  nodes.push({ op: 'Gemm', inputs: ['flat', 'fc'], output: 'y', attributes: { transB: 1 } })
  return buildOnnx({ input: [1, 1, size, size], nodes, initializers })
}

/** Writes net.onnx and images.json (eight images). */
export async function writeInputs(folder: Folder, shape: NetworkSize): Promise<void> {
  const next = random(7)
  const images = Array.from({ length: 8 }, () => Array.from({ length: shape.size ** 2 }, () => next()))
  await writeFile(folder.at('net.onnx'), network(shape))
  await writeFile(folder.at('images.json'), JSON.stringify(images))
}

/** Names under a folder that should not be there after a failure: temporary files of atomic writing. */
export async function leftovers(path: string): Promise<string[]> {
  return (await readdir(path, { recursive: true })).filter((name) => name.endsWith('.tmp'))
}
