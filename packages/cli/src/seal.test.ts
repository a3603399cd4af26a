/** The seal engine takes the same way as the native one, from plan to values. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createTensor, forwardApproximate } from '@he-ml/model'
import { importOnnx } from '@he-ml/model-import'
import { bindPlan, parsePlan } from '@he-ml/pipeline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Folder, heMl, mustRun, temporaryFolder, writeInputs } from './cli.test-helper.ts'

let here: Folder
const seal = ['--engine', 'seal', '-q', '--json']
const run = (...more: string[]) =>
  heMl(
    here.path,
    ...['run', '-p', 'plan.json', '-m', 'net.onnx', '-e', 'keys', '-i', 'in.ct', '-o', 'out.ct', ...seal, ...more],
  )

beforeAll(async () => {
  here = await temporaryFolder()
  await writeInputs(here, { size: 5, channels: 1, blocks: 1 })
  const plan = ['plan', '-m', 'net.onnx', '-d', 'images.json', '-o', 'plan.json', '--degree', '3', '--scale-bits', '36']
  await mustRun(here.path, ...plan, ...seal)
  await mustRun(here.path, 'keygen', '-p', 'plan.json', '-s', 'secret.key', '-e', 'keys', ...seal)
  const encrypt = ['encrypt', '-p', 'plan.json', '-k', 'secret.key', '-d', 'images.json', '-i', '2', '-o', 'in.ct']
  await mustRun(here.path, ...encrypt, ...seal)
})
afterAll(() => here[Symbol.asyncDispose]())

describe('--engine seal', () => {
  it('runs a plan to what the clear network with its polynomials says', async () => {
    const ran = await run()
    expect(ran.stderr).toBe('')
    expect(ran.json()).toMatchObject({ out: 'out.ct', peakBytes: expect.any(Number) })
    const decrypted = await mustRun(
      here.path,
      'decrypt',
      '-p',
      'plan.json',
      '-k',
      'secret.key',
      '-i',
      'out.ct',
      ...seal,
    )
    const { outputs } = decrypted.json<{ outputs: { values: number[] }[] }>()
    const model = await importOnnx(await readFile(here.at('net.onnx')), { name: 'net' })
    const inputs = JSON.parse(await readFile(here.at('images.json'), 'utf8')) as number[][]
    const bound = bindPlan(parsePlan(await readFile(here.at('plan.json'), 'utf8')), model)
    const image = createTensor([1, 5, 5], Float64Array.from(inputs[2]!))
    const wanted = bound.model.evaluate(image, ({ layer }, given) => forwardApproximate(layer, given)).data
    // SEAL's errors depend on the key: some 2^4 to 2^6 times the plan's were seen
    const most = 2 ** (11 - bound.plan.report.precisionBits)
    for (const [i, v] of outputs[0]!.values.entries()) expect(Math.abs(v - wanted[i]!)).toBeLessThan(most)
  })

  it('refuses inputs and keys that are damaged or missing, by name', async () => {
    const input = await readFile(here.at('in.ct'))
    await writeFile(here.at('in.ct'), input.subarray(0, -1))
    const cut = await run()
    expect(cut.stderr).toMatch(/FormatError: in\.ct: /)
    expect(cut.code).toBe(3)
    await writeFile(here.at('in.ct'), input)
    const key = here.at('keys', 'relinearization.key')
    const bytes = await readFile(key)
    bytes[bytes.length >> 1]! ^= 1
    await writeFile(key, bytes)
    const flipped = await run()
    expect(flipped.stderr).toMatch(/relinearization\.key: expected the SHA-256/)
    expect(flipped.code).toBe(3)
    await rm(key)
    const missing = await run()
    expect(missing.stderr).toMatch(/relinearization\.key is missing, though the manifest lists it/)
    expect(missing.code).toBe(7)
  })
})
