import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildOnnx } from '../../../packages/model-import/src/testing/build-onnx.ts'
import { cifarFolder } from './cifar-folder.test-helper.ts'
import type { DemoOptions } from './options.ts'
import { runDemo } from './run-demo.ts'

const tensor = (dims: number[], gain: number) => {
  const count = dims.reduce((a, b) => a * b)
  return { dims, data: Array.from({ length: count }, (_, i) => gain * Math.sin(7 * i + 1)) }
}
/** Convolution, ReLU, mean, classifier. */
const tinyNetwork = (channels: number, classes: number): Uint8Array =>
  buildOnnx({
    input: [1, channels, 32, 32],
    initializers: { w: tensor([4, channels, 3, 3], 0.3), fc: tensor([classes, 4], 1) },
    nodes: [
      {
        op: 'Conv',
        inputs: ['x', 'w'],
        output: 'c',
        attributes: { kernel_shape: [3, 3], strides: [4, 4], pads: [1, 1, 1, 1] },
      },
      { op: 'Relu', inputs: ['c'], output: 'r' },
      { op: 'GlobalAveragePool', inputs: ['r'], output: 'p' },
      { op: 'Flatten', inputs: ['p'], output: 'f', attributes: { axis: 1 } },
      { op: 'Gemm', inputs: ['f', 'fc'], output: 'y', attributes: { transB: 1 } },
    ],
  })

const surroundings = (said: string[], signal = new AbortController().signal) => ({
  say: (line: string) => void said.push(line),
  startBar: () => ({ update: () => {}, stop: () => {} }),
  signal,
})

describe('runDemo', () => {
  let folder: Awaited<ReturnType<typeof cifarFolder>>
  let options: DemoOptions
  beforeAll(async () => {
    folder = await cifarFolder(4)
    const [model, scratch] = [join(folder.path, 'tiny.onnx'), join(folder.path, 'scratch')]
    await writeFile(model, tinyNetwork(3, 10))
    await mkdir(scratch)
    options = {
      model,
      data: folder.path,
      batch: 2,
      images: 3,
      degree: 7,
      threads: 1,
      memory: 4e9,
      scratch,
      planOnly: false,
    }
  })
  afterAll(() => folder[Symbol.asyncDispose]())

  it('runs encrypted what it has planned, and compares', async () => {
    const said: string[] = []
    const comparison = await runDemo(options, surroundings(said))
    expect(said[0]).toBe('tiny: ranges from 4 training images')
    expect(said[2]).toBe('  2 images per run, channel packing')
    expect(said.join('\n')).toMatch(
      /evaluation keys.*decisions as in the clear.*same polynomials.*right: .*the server held/s,
    )
    expect(comparison).toMatchObject({ images: 3, strays: 0, toPolynomial: { same: 3 } })
    expect(comparison!.toPolynomial.bits).toBeGreaterThan(6)
    expect(comparison!.right).toBeDefined()
    expect(await readdir(options.scratch)).toEqual([])
  })
  it('judges no network that knows other classes', async () => {
    const model = join(folder.path, 'twenty.onnx')
    await writeFile(model, tinyNetwork(3, 20))
    const comparison = await runDemo({ ...options, model, batch: 1, images: 1 }, surroundings([]))
    expect(comparison).toMatchObject({ images: 1, toPolynomial: { same: 1 } })
    expect(comparison).not.toHaveProperty('right')
  })
  it('stops behind the plan when asked for no more', async () => {
    const said: string[] = []
    expect(await runDemo({ ...options, planOnly: true }, surroundings(said))).toBeUndefined()
    expect(said.at(-1)).toMatch(/logits right to/)
  })
  it('makes no keys for a run that has no room', async () => {
    const run = runDemo({ ...options, memory: 1e6 }, surroundings([]))
    await expect(run).rejects.toThrow(/beside its keys, 1\.0 MB are allowed/)
  })
  it('stops when told to', async () => {
    await expect(runDemo(options, surroundings([], AbortSignal.abort()))).rejects.toMatchObject({ code: 'Cancelled' })
  })
  it('takes networks for photographs only, and says which files it lacks', async () => {
    const model = join(folder.path, 'grey.onnx')
    await writeFile(model, tinyNetwork(1, 10))
    await expect(runDemo({ ...options, model }, surroundings([]))).rejects.toThrow('takes [1,32,32]')
    await expect(runDemo({ ...options, data: '/nowhere/cifar' }, surroundings([]))).rejects.toThrow('/nowhere/cifar')
  })
})
