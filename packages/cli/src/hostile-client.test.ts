/** What a hostile client may hand to a server, and what a client must not use: each as a whole command. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, cp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import {
  encodeContainer,
  type HeaderInput,
  type KeyFileEntry,
  type KeyRequest,
  Parameters,
  parseContainer,
} from '@he-ml/ckks-core'
import type { Plan } from '@he-ml/pipeline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Folder, heMl, mustRun, temporaryFolder, writeInputs } from './cli.test-helper.ts'

let here: Folder
let plan: Plan
let parameters: Parameters

const run = (folder: string, ...more: string[]) =>
  heMl(here.path, ...['run', '-p', 'plan.json', '-m', 'net.onnx', '-e', folder, '-i', 'in.ct', '-q', '--json'], ...more)

beforeAll(async () => {
  here = await temporaryFolder()
  await writeInputs(here, { size: 6, channels: 1, blocks: 1 })
  await mustRun(here.path, ...['plan', '-m', 'net.onnx', '-d', 'images.json', '-q', '--degree', '3', '-o', 'plan.json'])
  await mustRun(here.path, 'keygen', '-p', 'plan.json', '-s', 'client/secret.key', '-e', 'keys', '-q')
  await mustRun(here.path, 'encrypt', '-p', 'plan.json', '-k', 'client/secret.key', '-d', 'images.json', '-o', 'in.ct')
  plan = JSON.parse(await readFile(here.at('plan.json'), 'utf8'))
  parameters = new Parameters(plan.parameters)
})
afterAll(() => here[Symbol.asyncDispose]())

/** A copy of the key folder with another manifest. */
async function forged(
  name: string,
  change: (keys: KeyFileEntry[], header: HeaderInput) => HeaderInput,
): Promise<string> {
  await cp(here.at('keys'), here.at(name), { recursive: true })
  const { header } = parseContainer(await readFile(here.at('keys', 'keys.manifest')), { kind: 'keySet' })
  const { segments, insecure, ...rest } = header
  const made = change([...header.keys], rest)
  await writeFile(here.at(name, 'keys.manifest'), encodeContainer(made, [], parameters))
  return name
}
const more = (keys: KeyFileEntry[]) => (entries: KeyFileEntry[], header: HeaderInput) =>
  ({ ...header, keys: [...keys, ...entries] }) as HeaderInput
const galois = (file: string, galoisElement: number, bytes: number): KeyFileEntry => ({
  ...{ file, kind: 'galoisKey', level: 0, galoisElement, bytes, sha256: '00'.repeat(32) },
})

describe('run, from a hostile key folder', () => {
  it('loads the keys of the plan alone: others of any size, and pipes, are not opened', async () => {
    const folder = await forged(
      'extra',
      more([galois('pipe.key', 3, 100), galois('huge.key', 7, 2 ** 39), galois('none.key', 9, 100)]),
    )
    spawnSync('mkfifo', [here.at(folder, 'pipe.key')])
    await writeFile(here.at(folder, 'huge.key'), '')
    await truncate(here.at(folder, 'huge.key'), 2 ** 39)
    const result = await run(folder, '-o', 'extra.ct')
    expect(result.stderr).toBe('')
    expect(result.code).toBe(0)
    expect((await stat(here.at('extra.ct'))).size).toBeGreaterThan(1000)
  })

  it('refuses a key file that is a pipe, of another size, or another key, by name and without waiting', async () => {
    const name = 'relinearization.key'
    const pipe = await forged('pipe', (_, header) => header)
    await rm(here.at(pipe, name))
    spawnSync('mkfifo', [here.at(pipe, name)])
    const piped = await run(pipe, '-o', 'no.ct')
    expect(piped.stderr).toMatch(/relinearization\.key: expected an ordinary file, got a named pipe/)
    expect(piped.code).toBe(2)

    const listed = await forged(
      'listed',
      (keys, header) =>
        ({
          ...header,
          keys: keys.map((k) => (k.file === name ? { ...k, bytes: 2 ** 39 } : k)),
        }) as HeaderInput,
    )
    await truncate(here.at(listed, name), 2 ** 39)
    const large = await run(listed, '-o', 'no.ct')
    expect(large.stderr).toMatch(/relinearization\.key is listed with 549755813888 bytes/)
    expect(large.code).toBe(3)

    // a whole, honest file of another secret key, listed with its own hash
    await mustRun(here.path, 'keygen', '-p', 'plan.json', '-s', 'other.key', '-e', 'otherKeys', '-q')
    const foreign = await readFile(here.at('otherKeys', name))
    const mixed = await forged(
      'mixed',
      (keys, header) =>
        ({
          ...header,
          keys: keys.map((k) =>
            k.file === name ? { ...k, sha256: createHash('sha256').update(foreign).digest('hex') } : k,
          ),
        }) as HeaderInput,
    )
    await writeFile(here.at(mixed, name), foreign)
    const wrong = await run(mixed, '-o', 'no.ct')
    expect(wrong.stderr).toMatch(/header\.keyId: expected/)
    expect(wrong.code).toBe(4)
    await expect(readFile(here.at('no.ct'))).rejects.toThrow(/ENOENT/)
  })

  it('refuses keys without an id, and sets that lack a key of the plan', async () => {
    const nameless = await forged('nameless', (_, { keyId, ...header }) => header as HeaderInput)
    const unnamed = await run(nameless, '-o', 'no.ct')
    expect(unnamed.stderr).toMatch(/names no id/)
    expect(unnamed.code).toBe(10)
    const lacking = await forged('lacking', (keys, header) => ({ ...header, keys: keys.slice(1) }) as HeaderInput)
    const missing = await run(lacking, '-o', 'no.ct')
    expect(missing.stderr).toMatch(/the plan needs .*not listed/)
    expect(missing.code).toBe(7)
  })

  it('refuses a folder with a secret key in it, whatever that is called', async () => {
    const folder = await forged('whole', (_, header) => header)
    await cp(here.at('client/secret.key'), here.at(folder, 'notes.bin'))
    const held = await run(folder, '-o', 'no.ct')
    expect(held.stderr).toMatch(/whole holds a secret key \(notes\.bin\): no server may have it/)
    expect(held.code).not.toBe(0)
  })

  it('counts keys and inputs against --memory, whatever the plan says of its peak', async () => {
    const request = plan.keyRequest as KeyRequest
    expect(request).toBeDefined()
    const { planDigest } = await import('@he-ml/pipeline')
    const lying = {
      ...plan,
      report: { ...plan.report, memory: { ...plan.report.memory, peakBytes: 1000, leanPeakBytes: 1000 } },
    }
    const id = planDigest(lying)
    await writeFile(here.at('lying.json'), JSON.stringify({ ...lying, id }))
    const folder = await forged('lied', (_, header) => ({ ...header, plan: id }) as HeaderInput)
    const result = await heMl(
      here.path,
      ...['run', '-p', 'lying.json', '-m', 'net.onnx', '-e', folder, '-i', 'in.ct', '-o', 'no.ct', '-q'],
      ...['--memory', '0.001'],
    )
    expect(result.stderr).toMatch(/keys and inputs take .* to load, --memory allows/)
    expect(result.code).toBe(8)
  })
})

describe('secret keys', () => {
  /** The client's key with another segment or header. */
  async function secret(name: string, change: (segment: Uint8Array) => void, keyId = true): Promise<string> {
    const { header, segments } = parseContainer(new Uint8Array(await readFile(here.at('client/secret.key'))), {
      kind: 'secretKey',
    })
    const segment = segments[0]!.slice()
    change(segment)
    const { keyId: id, segments: _, insecure, ...rest } = header
    const made = keyId ? { ...rest, keyId: id } : rest
    await writeFile(here.at(name), encodeContainer(made as HeaderInput, [segment], parameters), { mode: 0o600 })
    return name
  }
  const encrypt = (key: string) =>
    heMl(here.path, 'encrypt', '-p', 'plan.json', '-k', key, '-d', 'images.json', '-o', 'no.ct')

  it('of a weight that no uniform ternary secret has are refused', async () => {
    const sparse = await secret('sparse.key', (segment) => segment.fill(0).fill(0b01, 0, 32))
    const result = await encrypt(sparse)
    expect(result.stderr).toMatch(/got 32: no uniform ternary secret/)
    expect(result.code).toBe(3)
    const full = await secret('full.key', (segment) => segment.fill(0b01_10_01_10))
    expect((await encrypt(full)).code).toBe(3)
  })

  it('without an id are refused', async () => {
    const nameless = await secret('nameless.key', () => {}, false)
    const results = [
      await encrypt(nameless),
      await heMl(here.path, 'decrypt', '-p', 'plan.json', '-k', nameless, '-i', 'in.ct'),
      await heMl(here.path, 'keygen', '-p', 'plan.json', '-s', nameless, '-e', 'unmade', '--reuse', '-q'),
    ]
    for (const { code, stderr } of results) {
      expect(stderr).toMatch(/nameless\.key: the key names no id/)
      expect(code).toBe(10)
    }
    expect(await readdir(here.path)).not.toContain('unmade')
  })

  it('are not overwritten by what a command writes, nor is anything that it reads', async () => {
    const before = await readFile(here.at('client/secret.key'))
    const [key, plan_, images] = ['client/secret.key', 'plan.json', 'images.json']
    // one after the other: each is a process
    for (const args of [
      ['encrypt', '-p', plan_, '-k', key, '-d', images, '-o', key],
      ['decrypt', '-p', plan_, '-k', key, '-i', 'in.ct', '-o', `client/../${key}.ledger`],
      ['run', '-p', plan_, '-m', 'net.onnx', '-e', 'keys', '-i', 'in.ct', '-o', 'keys/keys.manifest'],
      ['plan', '-m', 'net.onnx', '-d', images, '-o', 'p.json', '--svg', 'p.json', '-q'],
    ]) {
      const { code, stderr } = await heMl(here.path, ...args)
      expect(stderr).toMatch(/InvalidArgumentError.*give (the output )?another name/)
      expect(code).toBe(2)
    }
    expect(await readFile(here.at('client/secret.key'))).toEqual(before)
  })

  it('that others can read, or exchange, are used with a warning', async () => {
    await mkdir(here.at('open'))
    await cp(here.at('client/secret.key'), here.at('open/secret.key'))
    await chmod(here.at('open'), 0o777)
    await chmod(here.at('open/secret.key'), 0o644)
    const made = await heMl(
      here.path,
      ...['keygen', '-p', 'plan.json', '-s', 'open/secret.key', '-e', 'again', '--reuse', '-q', '--json'],
    )
    expect(made.code, made.stderr).toBe(0)
    expect(made.stderr).toMatch(/warning: open\/secret\.key is open to others \(mode 644\): chmod 600/)
    expect(made.stderr).toMatch(/warning: others can change files in .*open \(mode 777\)/)
    expect(made.json()).toMatchObject({ keys: expect.any(Number) })
    // beside what the server gets, too; on stderr, and -q does not hide it
    const beside = await heMl(here.path, 'keygen', '-p', 'plan.json', '-s', 'srv/k', '-e', 'srv/keys', '-q', '--json')
    expect([beside.code, beside.stderr]).toEqual([
      0,
      expect.stringMatching(/^warning: srv\/k lies in .*srv, as the eval/),
    ])
    expect(beside.json()).toMatchObject({ secret: 'srv/k' })
    // what keygen makes itself is closed
    expect((await stat(here.at('client'))).mode & 0o777).toBe(0o700)
    expect((await stat(here.at('client/secret.key'))).mode & 0o777).toBe(0o600)
  })
})
