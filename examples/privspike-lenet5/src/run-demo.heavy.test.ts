/** Exact spikes with real keys: a functional bootstrap is in the ring of 2^15 whatever the network. */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { toyMnist } from '../../train-spiking-lenet5/src/testing/toy-mnist.test-helper.ts'
import { isFaithful } from './compare.ts'
import { runDemo } from './run-demo.ts'
import { silent, toyFolder } from './toy-network.test-helper.ts'

it('decides spike by spike as the clear network', async () => {
  await using folder = await toyFolder(true)
  const [scratch, out, data] = [join(folder.path, 'scratch'), join(folder.path, 'out'), toyMnist(40, 4)]
  await mkdir(scratch)
  const said: string[] = []
  const comparison = await runDemo(
    {
      ...{ model: folder.model, step: 'auto', data, inputs: 2, batch: 1, samples: 40 },
      ...{ threads: 1, memory: 6e9, scratch, out, look: true, planOnly: false },
    },
    silent(said),
  )
  await rm(data, { recursive: true })
  expect(comparison).toMatchObject({ inputs: 2, alike: 2, sameSpikes: 2 })
  expect(isFaithful(comparison!)).toBe(true)
  expect(said.join('\n')).toMatch(/48 of 48 \(100 %\) neuron-steps.*charges before their refresh.*planned: /s)
  expect(await readdir(out)).toEqual(['margin.svg', 'raster.svg'])
  expect(await readFile(join(out, 'raster.svg'), 'utf8')).toContain('0 differ')
  expect(await readdir(scratch)).toEqual([])
})
