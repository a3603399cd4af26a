/** The seal engine takes the same way as the native one, from plan to values. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTensor, forwardApproximate } from '@he-ml/model'
import { importOnnx } from '@he-ml/model-import'
import { bindPlan, parsePlan } from '@he-ml/pipeline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  COMMAND,
  commandWith,
  type Folder,
  heMl,
  mustRun,
  start,
  temporaryFolder,
  writeInputs,
} from './cli.test-helper.ts'

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
  const keygen = ['keygen', '-p', 'plan.json', '-s', 'secret.key', '-e', 'keys', '--public', 'public.key']
  await mustRun(here.path, ...keygen, ...seal)
  const encrypt = ['encrypt', '-p', 'plan.json', '-k', 'secret.key', '-d', 'images.json', '-i', '2', '-o', 'in.ct']
  await mustRun(here.path, ...encrypt, ...seal)
})
afterAll(() => here[Symbol.asyncDispose]())

describe('inspect', () => {
  const inspect = (file: string, ...more: string[]) => heMl(here.path, 'inspect', file, ...more)
  it('tells the files of SEAL’s: kind, size, ring, primes, parameters; of a secret key its name', async () => {
    const { keyId } = (await mustRun(here.path, 'inspect', 'keys/keys.manifest', '--json')).json<{ keyId: string }>()
    const { parameters } = JSON.parse(await readFile(here.at('plan.json'), 'utf8')) as { parameters: { logN: number } }
    const ring = `ring 2\\^${parameters.logN}, \\d+ primes`
    for (const [file, says] of [
      ['secret.key', `  secret key, .*: \\d+ residues; parameters [0-9a-f]{16}\\n  key: ${keyId}\\n`],
      ['public.key', `  public key, .*: ${ring}; parameters [0-9a-f]{16}\\n  key: not named here`],
      ['in.ct', `  ciphertext, .*: ${ring}, scale 2\\^36\\.00, 2 polynomials, the second as a seed; parameters`],
      ['keys/relinearization.key', `  relinearisation key, .*: ${ring}; parameters`],
    ] as const)
      expect((await inspect(file)).stdout, file).toMatch(new RegExp(`^a file of SEAL's, .* in 1 object\\n${says}`))
    const [galois] = (await readdir(here.at('keys'))).filter((name) => name.startsWith('galois-'))
    const said = await inspect(`keys/${galois}`)
    expect(said.stdout).toMatch(new RegExp(`  Galois keys, .*: ${ring}, for rotation by \\d+; parameters`))
    expect((await inspect('in.ct', '--json')).json()).toMatchObject({
      kind: 'ciphertext',
      engine: 'seal',
      objects: [{ kind: 'ciphertext', ringDegree: 2 ** parameters.logN, parameters: expect.any(String) }],
    })
  })
  it('refuses damaged ones by name, object and byte', async () => {
    const whole = await readFile(here.at('secret.key'))
    for (const [damaged, says] of [
      [whole.subarray(0, 10), /damaged\.key: object 1, from byte 0 on: SEAL object: at byte 0: expected 16 more bytes/],
      [whole.subarray(0, -1), /damaged\.key: object 1, .*it says it has \d+ bytes; \d+ are there/],
      [Buffer.concat([whole, whole.subarray(0, 100)]), /damaged\.key: object 2, from byte \d+ on: /],
      [whole.map((byte, i) => (i === 53 ? byte ^ 1 : byte)), /damaged\.key: object 1, .*: at byte \d+: expected /],
    ] as const) {
      await writeFile(here.at('damaged.key'), damaged)
      const { code, stderr } = await inspect('damaged.key')
      expect(stderr).toMatch(says)
      expect(code).toBe(3)
    }
  })
})

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

describe('what SEAL cannot do is refused before anything is written', () => {
  it('plans that its heap cannot hold, and bootstrapping, also where it stands in for the native engine', async () => {
    const lenet = join(import.meta.dirname, '../../../examples/lenet5/models/lenet5-relu.onnx')
    const digits = [0, 1].map((k) => Array.from({ length: 784 }, (_, i) => Math.sin(i + k)))
    await writeFile(here.at('digits.json'), JSON.stringify(digits))
    const plan = ['plan', '-d', 'digits.json', '-o', 'large.json', '-q', '--degree', '3', '--scale-bits', '31']
    const large = await heMl(here.path, ...plan, '-m', lenet, '--engine', 'seal')
    expect(large.stderr).toMatch(/SEAL's heap ends at 4 GB, and one layer needs \d+ keys of .* each/)
    expect(large.code).toBe(6)
    const withoutNative = ['env', 'HE_ML_NATIVE_PATH=/none.node', ...COMMAND]
    const fallback = await start(here.path, [...plan, '-m', lenet, '--bootstrapping', 'always'], withoutNative).done
    expect(fallback.stderr).toMatch(/not available here; using node-seal[\s\S]*SEAL does not bootstrap/)
    expect(fallback.code).toBe(2)
    expect(await readdir(here.path)).not.toContain('large.json')
  })

  it('keys for a plan of the native engine, and keys that find no room: no secret key stays', async () => {
    const native = [
      'plan',
      '-m',
      'net.onnx',
      '-d',
      'images.json',
      '-o',
      'native.json',
      '--degree',
      '3',
      '--log-n',
      '16',
      '-q',
    ]
    await mustRun(here.path, ...native, '--engine', 'native')
    const keygen = (plan: string, engine: string) => [
      ...['keygen', '-p', plan, '-s', 'failed/s.key', '-e', 'failedKeys', '-q', '--engine', engine],
    ]
    const wrong = await heMl(here.path, ...keygen('native.json', 'seal'))
    expect(wrong.stderr).toMatch(/SEAL needs exactly one special prime.*Make the plan with --engine seal/)
    expect(wrong.code).toBe(10)
    // the key of SEAL; the lock of the native one's ledger, the ledger, and then its key
    for (const [plan, engine, at, file] of [
      ['plan.json', 'seal', 1, 's.key'],
      ['native.json', 'native', 1, 's.key.ledger.lock'],
      ['native.json', 'native', 2, 's.key.ledger'],
      ['native.json', 'native', 3, 's.key'],
    ] as const) {
      const full = commandWith({ 'disk-fault': { does: 'full', under: 's.key', at } })
      const noRoom = await start(here.path, keygen(plan, engine), full).done
      expect(noRoom.stderr).toMatch(/ENOSPC/)
      expect(noRoom.stderr).toContain(`/${file}: `)
      expect(noRoom.code).toBe(9)
      expect((await readdir(here.path)).filter((name) => name.startsWith('failedKeys'))).toEqual([])
      expect(await readdir(here.at('failed'))).toEqual([])
    }
  })
})
