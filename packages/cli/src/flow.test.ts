import { cp, readdir, readFile, stat } from 'node:fs/promises'
import { createTensor } from '@he-ml/model'
import { importOnnx } from '@he-ml/model-import'
import { bindPlan, type Plan, type SimulationReport, simulate, type TaskTrace } from '@he-ml/pipeline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Folder, heMl, mustRun, temporaryFolder, writeInputs } from './cli.test-helper.ts'

interface Decrypted {
  readonly visibility: string
  readonly published?: { readonly precisionBits: number; readonly sigma: number }
  readonly shape: number[]
  readonly outputs: { readonly argmax: number; readonly values: number[] }[]
}

const SIZE = { size: 6, channels: 2, blocks: 1 }

/** Every value against its twin. */
function expectClose(got: Decrypted, wanted: readonly (readonly number[])[], tolerance: number): void {
  for (const [i, { values }] of got.outputs.entries())
    for (const [c, v] of values.entries())
      expect(Math.abs(v - wanted[i]![c]!), `image ${i} class ${c}`).toBeLessThan(tolerance)
}
const valuesOf = (d: Decrypted) => d.outputs.map((o) => o.values)

describe.each([
  ['multiplexed', ['--scale-bits', '34'], '3', 1],
  ['batch', ['--packing', 'batch', '--batch', '64', '--scale-bits', '34'], '0-4', 5],
  ['channel', ['--packing', 'channel', '--batch', '8', '--scale-bits', '40'], '0-4', 5],
] as const)('a client and a server, %s', (packing, planning, index, images) => {
  let here: Folder
  const flags = ['--threads', '2', '--quiet', '--json']

  beforeAll(async () => {
    here = await temporaryFolder()
    await writeInputs(here, SIZE)
    const plan = await mustRun(
      here.path,
      ...['plan', '-m', 'net.onnx', '-d', 'images.json', '-o', 'plan.json', '--degree', '3', '--json', '--quiet'],
      ...planning,
    )
    const { id, report, simulation, calibratedOn } = plan.json<{
      id: string
      report: { logN: number; keys: { count: number } }
      simulation: SimulationReport
      calibratedOn: number
    }>()
    // all of the eight images, for there are none that were not calibrated on
    expect(simulation.samples).toBe(8)
    expect(calibratedOn).toBe(8)
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    expect(report.logN).toBeLessThanOrEqual(14)
    const keys = await mustRun(
      here.path,
      ...['keygen', '-p', 'plan.json', '-s', 'client/secret.key', '-e', 'server/keys', '--public', 'public.key'],
      ...flags,
    )
    expect(keys.json()).toMatchObject({
      secret: 'client/secret.key',
      evaluation: 'server/keys',
      public: 'public.key',
      keyId: expect.stringMatching(/^[0-9a-f]{32}$/),
      keys: report.keys.count,
      bytes: expect.any(Number),
    })
    for (const name of ['plan.json', 'net.onnx']) await cp(here.at(name), here.at('server', name))
  })
  afterAll(() => here[Symbol.asyncDispose]())

  async function clear(): Promise<number[][]> {
    const model = await importOnnx(await readFile(here.at('net.onnx')), { name: 'net' })
    const inputs = JSON.parse(await readFile(here.at('images.json'), 'utf8')) as number[][]
    const chosen = packing !== 'multiplexed' ? inputs.slice(0, images) : [inputs[Number(index)]!]
    return chosen.map((v) => [...model.forward(createTensor([1, SIZE.size, SIZE.size], Float64Array.from(v))).data])
  }

  async function answer(key: string): Promise<Decrypted> {
    const encrypted = await mustRun(
      here.path,
      ...['encrypt', '-p', 'plan.json', '-k', key, '-d', 'images.json', '-i', index, '-o', 'server/in.ct'],
      ...flags,
    )
    expect(encrypted.json()).toMatchObject({ out: 'server/in.ct', images, ciphertexts: expect.any(Number) })
    const ran = await mustRun(
      here.at('server'),
      ...['run', '-p', 'plan.json', '-m', 'net.onnx', '-e', 'keys', '-i', 'in.ct', '-o', 'out.ct'],
      ...['--trace', 'trace.json', ...flags],
    )
    expect(ran.stderr).toBe('')
    const trace = JSON.parse(await readFile(here.at('server/trace.json'), 'utf8')) as {
      plan: string
      tasks: TaskTrace[]
    }
    const planned = JSON.parse(await readFile(here.at('plan.json'), 'utf8')) as Plan
    expect(trace.plan).toBe(planned.id)
    expect(trace.tasks.map(({ task }) => task).sort()).toEqual(planned.report.layers.map(({ name }) => name).sort())
    for (const { start, end, memoryBytes, peakBytes } of trace.tasks) {
      expect(end).toBeGreaterThanOrEqual(start)
      expect(peakBytes).toBeGreaterThanOrEqual(memoryBytes)
    }
    expect(ran.json()).toMatchObject({
      out: 'out.ct',
      seconds: { openKeys: expect.any(Number), run: expect.any(Number), write: expect.any(Number) },
      peakBytes: expect.any(Number),
      peakResidentBytes: expect.any(Number),
    })
    const got = await mustRun(
      here.path,
      ...['decrypt', '-p', 'plan.json', '-k', 'client/secret.key', '-i', 'server/out.ct', '--images', String(images)],
      ...['-o', 'client/values.json', ...flags],
    )
    const document = got.json<Decrypted>()
    expect(JSON.parse(await readFile(here.at('client/values.json'), 'utf8'))).toEqual(document)
    return document
  }

  it('computes what the clear network does, from a server folder without a secret key', async () => {
    const others = await answer('public.key')
    // the last one is published below: results of inputs that others encrypted are not
    const result = await answer('client/secret.key')
    const wanted = await clear()
    expect(result).toMatchObject({ visibility: 'private', shape: [3] })
    expect(result.outputs).toHaveLength(images)
    // degree 3 stands for relu on its range: the polynomial's error, not the encryption's
    expectClose(result, wanted, 0.5)
    const inspected = (await readdir(here.at('server'), { recursive: true })).filter((n) =>
      /\.(key|ct|manifest)$/.test(n),
    )
    expect(inspected.some((n) => n.includes('secret'))).toBe(false)
    for (const name of inspected)
      expect((await readFile(here.at('server', name))).includes('secretKey'), name).toBe(false)
    expect((await stat(here.at('client/secret.key'))).mode & 0o777).toBe(0o600)
    expect((await stat(here.at('client/values.json'))).mode & 0o777).toBe(0o600)

    expectClose(others, valuesOf(result), 2 ** -8)
  })

  it('tells in the clear what the polynomials do, as JSON and in words', async () => {
    const args = ['simulate', '-p', 'plan.json', '-m', 'net.onnx', '-d', 'images.json', '--quiet']
    const { simulation } = (await mustRun(here.path, ...args, '--json')).json<{ simulation: SimulationReport }>()
    const model = await importOnnx(await readFile(here.at('net.onnx')), { name: 'net' })
    const bound = bindPlan(JSON.parse(await readFile(here.at('plan.json'), 'utf8')) as Plan, model)
    const inputs = (JSON.parse(await readFile(here.at('images.json'), 'utf8')) as number[][]).map((values) =>
      createTensor([1, SIZE.size, SIZE.size], Float64Array.from(values)),
    )
    expect(simulation).toEqual(JSON.parse(JSON.stringify(await simulate(bound, model, inputs))))
    const { stdout } = await mustRun(here.path, ...args, '--samples', '3')
    expect(stdout).toMatch(/^3 samples\n {2}\d+\.\d\d % answered as the network does/)
    expect(stdout).toMatch(/bits left by polynomials, \d+\.\d by encryption\n\nlayer +kind/)
  })

  it('inspects every file it wrote', async () => {
    const kinds: [string, string][] = [
      ['net.onnx', 'model'],
      ['plan.json', 'plan'],
      ['client/secret.key', 'secretKey'],
      ['public.key', 'publicKey'],
      ['server/keys/relinearization.key', 'relinearizationKey'],
      ['server/keys/keys.manifest', 'keySet'],
      ['server/out.ct', 'ciphertext'],
    ]
    const said = await Promise.all(kinds.map(([name]) => mustRun(here.path, 'inspect', name, '--json')))
    expect(said.map((s) => s.json<{ kind: string }>().kind)).toEqual(kinds.map(([, kind]) => kind))
    expect(said[6]!.json<{ keyId: string }>().keyId).toBe(said[2]!.json<{ keyId: string }>().keyId)
  })

  it('publishes the elements of the layout alone, or says which scale would do', async () => {
    const publish = (...more: string[]) =>
      heMl(
        here.path,
        ...['decrypt', '-p', 'plan.json', '-k', 'client/secret.key', '-i', 'server/out.ct', '--images', String(images)],
        ...['--publish-queries', '1', '--json', ...more],
      )
    const [refused, published] = await Promise.all([
      publish('--precision-bits', '30'),
      publish('--statistical-bits', '10', '--precision-bits', '-20'),
    ])
    expect(refused.code).toBe(6)
    expect(refused.stderr).toMatch(/scale of (34|40) bits is too small.*--scale-bits \d\d/s)
    expect(published.stderr).toBe('')
    const document = published.json<Decrypted>()
    expect(document.visibility).toBe('published')
    expect(document.outputs).toHaveLength(images)
    const wanted = JSON.parse(await readFile(here.at('client/values.json'), 'utf8')) as Decrypted
    expectClose(document, valuesOf(wanted), 8 * document.published!.sigma)
  })
})
