/** A small network whose run is interrupted, and what its checkpoint folder holds. */
import { readdir, readFile } from 'node:fs/promises'
import { sha256, toHex } from '@he-ml/ckks-core'
import { type BoundPlan, bindPlan } from '@he-ml/pipeline'
import { expect } from 'vitest'
import {
  commandWith,
  type Finished,
  type Folder,
  mustRun,
  start,
  temporaryFolder,
  writeInputs,
} from './cli.test-helper.ts'
import type { DiskFault } from './disk-fault.test-helper.ts'
import { readModel } from './files/model-file.ts'
import { readPlan } from './files/plan-file.ts'

const OWN_FOLDER = 'he-ml-checkpoint'

/** Where a checkpoint is. */
export interface Kept {
  /** Tasks that are done. */
  readonly done: readonly number[]
  /** Contents of all files, hashed, by name. */
  readonly files: ReadonlyMap<string, string>
}

/** A folder with a plan, its keys, an encrypted input, and the result of a run that nothing disturbed. */
export class InterruptedRun implements AsyncDisposable {
  readonly here: Folder
  readonly bound: BoundPlan
  /** Of the undisturbed run. */
  readonly wanted: Buffer
  private constructor(here: Folder, bound: BoundPlan, wanted: Buffer) {
    this.here = here
    this.bound = bound
    this.wanted = wanted
  }

  /** Three blocks of convolution and activation, and a classifier. @param planning more options of `plan` */
  static async create(...planning: string[]): Promise<InterruptedRun> {
    const here = await temporaryFolder()
    const he = (...args: string[]) => mustRun(here.path, ...args)
    await writeInputs(here, { size: 10, channels: 2, blocks: 3 })
    await he(...['plan', '-m', 'net.onnx', '-d', 'images.json', '-o', 'plan.json', '-q'], ...PLAN, ...planning)
    await he('keygen', '-p', 'plan.json', '-s', 'secret.key', '-e', 'keys', '-q')
    const index = planning.length > 0 ? '0-3' : '0'
    await he(...['encrypt', '-p', 'plan.json', '-k', 'secret.key', '-d', 'images.json', '-i', index, '-o', 'in.ct'])
    const bound = await bindPlan(await readPlan(here.at('plan.json')), await readModel(here.at('net.onnx')))
    await he(...ARGUMENTS, '-o', 'whole.ct')
    return new InterruptedRun(here, bound, await readFile(here.at('whole.ct')))
  }

  /** Runs with checkpoints in `folder`, the result beside it. */
  run(folder: string, command?: readonly string[], ...more: string[]): Promise<Finished> {
    return start(this.here.path, [...ARGUMENTS, '-o', `${folder}.ct`, '--checkpoints', folder, ...more], command).done
  }

  /** The same with a fault of the disk. */
  runWith(folder: string, fault: Omit<DiskFault, 'under'>, under = OWN_FOLDER): Promise<Finished> {
    return this.run(folder, commandWith({ 'disk-fault': { under, ...fault } }))
  }

  /** Runs to the end; the result has the bits of the undisturbed run, and nothing is kept. @returns tasks that were not run again */
  async finish(folder: string): Promise<number> {
    const { code, stderr, json } = await this.run(folder)
    expect(code, stderr).toBe(0)
    expect(Buffer.compare(await readFile(this.here.at(`${folder}.ct`)), this.wanted)).toBe(0)
    await expect(readdir(this.here.at(folder))).rejects.toThrow(/ENOENT/)
    return json<{ resumedLayers: number }>().resumedLayers
  }

  /** The checkpoint: every file that it names is there as it was written. */
  async kept(folder: string): Promise<Kept> {
    const own = (...names: string[]) => this.here.at(folder, OWN_FOLDER, ...names)
    const files = new Map<string, string>()
    for (const name of await readdir(own()).catch(() => [])) files.set(name, hashOf(await readFile(own(name))))
    if (!files.has('index.json')) return { done: [], files }
    const { done, values } = JSON.parse(await readFile(own('index.json'), 'utf8')) as Index
    for (const file of values.flatMap((value) => value.files)) expect(files.get(file.name), file.name).toBe(file.sha256)
    return { done, files }
  }

  /** Tasks that may have been at work, when these are done: what they read is there. */
  atWork(done: readonly number[]): number {
    const { tasks, input } = this.bound.program
    const there = new Set([...input.values.map(({ id }) => id), ...done.flatMap((index) => tasks[index]!.writes)])
    const ready = tasks.filter(({ reads }, i) => !done.includes(i) && reads.flat().every((id) => there.has(id)))
    return ready.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.here[Symbol.asyncDispose]()
  }
}

interface Index {
  readonly done: number[]
  readonly values: readonly { readonly files: readonly { readonly name: string; readonly sha256: string }[] }[]
}

/** As the index of a checkpoint has it. */
const hashOf = (content: Uint8Array): string => toHex(sha256(sha256(content)))

const PLAN = ['--degree', '3', '--scale-bits', '30']

const ARGUMENTS = [
  ...['run', '-p', 'plan.json', '-m', 'net.onnx', '-e', 'keys', '-i', 'in.ct', '--threads', '2', '-q', '--json'],
]
