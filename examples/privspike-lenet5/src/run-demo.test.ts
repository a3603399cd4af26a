import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toyMnist } from '../../train-spiking-lenet5/src/testing/toy-mnist.test-helper.ts'
import type { DemoOptions } from './options.ts'
import { runDemo } from './run-demo.ts'
import { silent, toyFolder } from './toy-network.test-helper.ts'

describe('runDemo', () => {
  let folder: Awaited<ReturnType<typeof toyFolder>>
  let options: DemoOptions
  beforeAll(async () => {
    folder = await toyFolder(true)
    const [scratch, out] = [join(folder.path, 'scratch'), join(folder.path, 'out')]
    await mkdir(scratch)
    options = {
      ...{ model: folder.model, step: 'polynomial', data: toyMnist(40, 4), inputs: 1, batch: 1, samples: 40 },
      ...{ threads: 1, memory: 6e9, scratch, out, look: true, planOnly: false },
    }
  })
  afterAll(async () => {
    await rm(options.data, { recursive: true })
    await folder[Symbol.asyncDispose]()
  })

  it('runs encrypted what it has planned, compares, and looks inside', async () => {
    const said: string[] = []
    const comparison = await runDemo(options, silent(said))
    expect(said[0]).toBe('toy, 2 time steps, polynomial spikes: ranges from 40 training digits')
    const story = said.join('\n')
    expect(story).toMatch(
      /one input per run, multiplexed packing.*evaluation keys.*input 1: a 0, encrypted \d, clear \d; /s,
    )
    expect(story).toMatch(/right: .*same polynomials.*the server held.*a look into a run/s)
    expect(story).toMatch(/spikes as in the clear network: \d+ of 48 .*neurons1, 16 neurons.*neurons2, 8 neurons/s)
    expect(comparison).toMatchObject({ inputs: 1, toPolynomial: { alike: 1 } })
    expect(comparison!.toPolynomial!.largest).toBeLessThan(0.01)
    expect(await readdir(options.out)).toEqual(['drift.svg', 'raster.svg'])
    expect(await readdir(options.scratch)).toEqual([])
  })
  it('decides exactly where the model has grids, and stops behind the plan when asked for no more', async () => {
    const said: string[] = []
    expect(await runDemo({ ...options, step: 'auto', planOnly: true }, silent(said))).toBeUndefined()
    expect(said[0]).toMatch(/functional spikes/)
    expect(said.join('\n')).toMatch(/3 refreshes, in which neurons decide/)
    expect(said.at(-1)).toMatch(/^ {2}every spike is decided \d+\.\d standard deviations or more from a wrong one/)
  })
  it('makes no keys for a run that has no room', async () => {
    await expect(runDemo({ ...options, memory: 1e6 }, silent())).rejects.toThrow(/beside its keys, 1\.0 MB are allowed/)
  })
  it('stops when told to', async () => {
    await expect(runDemo(options, silent([], AbortSignal.abort()))).rejects.toMatchObject({ code: 'Cancelled' })
  })
  it('leaves no keys behind when it is stopped at work', async () => {
    const controller = new AbortController()
    const { startBar } = silent()
    const stopAt = (title: string) => {
      if (title.startsWith('encrypted run')) controller.abort()
      return startBar()
    }
    const run = runDemo(options, { ...silent([], controller.signal), startBar: stopAt })
    await expect(run).rejects.toMatchObject({ code: 'Cancelled' })
    expect(await readdir(options.scratch)).toEqual([])
  })
  it('says which models there are, and which files it lacks', async () => {
    await expect(runDemo({ ...options, model: 'nothing' }, silent())).rejects.toThrow(
      /nothing: no such model; shipped are .*mnist-lif-t2-grid.*nmnist-lif-t5-grid/,
    )
    await expect(runDemo({ ...options, data: folder.path }, silent())).rejects.toThrow(folder.path)
  })
})
