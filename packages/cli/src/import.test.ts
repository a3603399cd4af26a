/** NIR networks from their file to a spiking model that the other commands take. */
import { readdir, writeFile } from 'node:fs/promises'
import { encodeNir } from '@he-ml/model-import'
import { describe, expect, it } from 'vitest'
import { array, chain, lif } from '../../model-import/src/testing/nir-graphs.ts'
import { heMl, mustRun, temporaryFolder } from './cli.test-helper.ts'
import { readModel } from './files/model-file.ts'

const graph = chain({
  input: { type: 'Input', shape: [2] },
  fc: { type: 'Affine', weight: array([3, 2]), bias: array([3]) },
  lif: lif([3], 0.004),
  out: { type: 'Linear', weight: array([2, 3]) },
  output: { type: 'Output', shape: [2] },
})
const options = ['--dt', '1e-3', '--time-steps', '4']

describe('he-ml import', () => {
  it('writes a model that the other commands read', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.at('net.nir'), await encodeNir(graph))
    const { stdout } = await mustRun(folder.path, 'import', 'net.nir', '-o', 'net.json', ...options)
    expect(stdout).toMatch(/^wrote net\.json and net\.safetensors: input \[2\], 4 time steps\n {2}fc: linear\n/)
    const model = await readModel(folder.at('net.json'))
    expect([model.name, model.steps, model.nodes.map(({ layer }) => layer.kind)]).toEqual([
      'net',
      4,
      ['linear', 'batchNorm', 'spiking', 'linear'],
    ])
    const again = await mustRun(
      folder.path,
      'import',
      'net.nir',
      '-o',
      'events.json',
      ...options,
      '--input',
      'events',
      '--json',
    )
    expect(again.json()).toMatchObject({ model: 'events.json', weights: 'events.safetensors', timeSteps: 4 })
    expect((await readModel(folder.at('events.json'))).input.time).toBe('perStep')
  })

  it('the faster way to decide is planned where it answers alike', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.at('net.nir'), await encodeNir(graph))
    await mustRun(folder.path, 'import', 'net.nir', '-o', 'net.json', ...options)
    const inputs = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
    await writeFile(folder.at('inputs.json'), JSON.stringify(inputs))
    const args = ['plan', '-m', 'net.json', '-d', 'inputs.json', '--samples', '30', '-o', 'plan.json', '--quiet']
    const { steps } = (await mustRun(folder.path, ...args, '--step', 'cheapest', '--json')).json<{ steps: string[] }>()
    expect(steps).toHaveLength(2)
    expect(steps[0]).toMatch(/^step functional: about \d+\.\d\d s, 100\.0 % of 40 samples answered as in the clear/)
    expect(steps[1]).toMatch(/^step polynomial: (about \d+\.\d\d s|not possible)/)
    expect(steps.filter((line) => line.endsWith('; chosen'))).toHaveLength(1)
    const { stdout } = await mustRun(folder.path, ...args, '--step', 'cheapest')
    expect(stdout).toMatch(/^step functional: .*\nstep polynomial: .*\nplan /)
    expect(stdout).toMatch(/\n30 of the simulated images were calibrated on as well/)
    await writeFile(
      folder.at('line.nir'),
      await encodeNir(
        chain({
          input: { type: 'Input', shape: [2] },
          fc: { type: 'Affine', weight: array([3, 2]), bias: array([3]) },
          output: { type: 'Output', shape: [3] },
        }),
      ),
    )
    await mustRun(folder.path, 'import', 'line.nir', '-o', 'line.json', ...options)
    const refused = await heMl(folder.path, 'plan', '-m', 'line.json', '-o', 'p.json', '--step', 'cheapest')
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('for spiking networks')])
  })

  it('writes nothing where the network cannot run, and says why', async () => {
    await using folder = await temporaryFolder()
    await writeFile(
      folder.at('net.nir'),
      await encodeNir({
        ...graph,
        nodes: { ...graph.nodes, lif: { ...lif([3]), v_reset: array([3], () => 1) } as never },
      }),
    )
    await writeFile(folder.at('text.nir'), 'no network')
    for (const [args, code, said] of [
      [['net.nir', '-o', 'net.json', ...options], 10, /net\.nir: NIR: node "lif" \(LIF\) resets/],
      [['text.nir', '-o', 'net.json', ...options], 3, /text\.nir: /],
      [['net.nir', '-o', 'net.json', '--dt', '1e-3'], 2, /--time-steps/],
      [['net.nir', '-o', 'net.nir', ...options], 2, /net\.nir/],
    ] as const) {
      const result = await heMl(folder.path, 'import', ...args)
      expect(result.stderr).toMatch(said)
      expect(result.code).toBe(code)
    }
    expect((await readdir(folder.path)).sort()).toEqual(['net.nir', 'text.nir'])
  })
})
