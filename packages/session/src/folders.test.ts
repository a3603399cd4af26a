/** Clients and servers in few calls, in memory and from folders. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  FileSystemError,
  FormatError,
  InvalidArgumentError,
  MissingKeyError,
  ParameterMismatchError,
} from '@he-ml/ckks-core'
import { createNativeHost } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { sealParameters } from '@he-ml/ckks-seal'
import { createSealClient } from '@he-ml/ckks-seal/client'
import { createSealHost } from '@he-ml/ckks-seal/node'
import { createTensor, Model, type Tensor } from '@he-ml/model'
import { linear } from '@he-ml/nn-layers'
import { type BoundPlan, compileAndBind } from '@he-ml/pipeline'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ClientSession, type MakeClientEngine, openClient } from './client/index.ts'
import { createClientFolder, openClientFolder, writeServerFolder } from './client/node/index.ts'
import { type MakeEngineHost, openServer, ServerSession } from './index.ts'
import { openServerFolder } from './server/node/index.ts'

const layer = linear({ name: 'sum', weights: createTensor([2, 4], Float64Array.of(1, 2, 3, 4, -1, 0, 1, 0)) })
const model = new Model({ name: 'toy', input: { name: 'x', shape: [4] }, nodes: [{ layer, inputs: ['x'] }] })
const vector = (...values: number[]): Tensor => createTensor([values.length], Float64Array.from(values))
const input = vector(0.1, 0.2, 0.3, 0.4)

function expectAnswer({ shape, data }: Tensor, [first, second] = [3, 0.2]): void {
  expect(shape).toEqual([2])
  expect(Math.abs(data[0]! - first!)).toBeLessThan(0.01)
  expect(Math.abs(data[1]! - second!)).toBeLessThan(0.01)
}

describe('a client and a server in few calls', () => {
  it('are one program with keys in memory', async () => {
    const bound = await compileAndBind(model, { packing: 'multiplexed', scaleBits: 30 })
    const seen: number[] = []
    await using client = await openClient(bound.plan, createNativeClient)
    const keys = await client.evaluationKeys({ onProgress: (done) => seen.push(done) })
    await using server = await openServer(bound, createNativeHost, keys)
    expectAnswer(await client.decrypt(await server.run(await client.encrypt(input))))
    expect(seen.at(-1)).toBe(bound.plan.report.keys.count)
  })
  it('take as many inputs as the plan does, and answer each', async () => {
    const bound = await compileAndBind(model, { packing: 'batch', batch: 8, scaleBits: 30 })
    await using client = await openClient(bound.plan, createNativeClient)
    await using server = await openServer(bound, createNativeHost, await client.evaluationKeys())
    const file = await server.run(await client.encrypt([input, vector(1, 1, 1, 1), vector(0, 0, 0, 0)]))
    const answers = await client.decryptAll(file, 3)
    expect(answers).toHaveLength(3)
    expectAnswer(answers[0]!)
    expectAnswer(answers[1]!, [10, 0])
    expectAnswer(answers[2]!, [0, 0])
    expect(await client.decryptAll(file)).toHaveLength(8)
    await expect(client.encrypt(Array.from({ length: 9 }, () => input))).rejects.toThrow(InvalidArgumentError)
  })
  it('run on SEAL as well', async () => {
    const bound = await compileAndBind(model, {
      packing: 'multiplexed',
      request: sealParameters,
      bootstrapping: 'never',
    })
    await using client = await openClient(bound.plan, createSealClient)
    await using server = await openServer(bound, createSealHost, await client.evaluationKeys())
    expectAnswer(await client.decrypt(await server.run(await client.encrypt(input))))
  })
  it('refuse keys of another plan, and end the engine they made for it', async () => {
    const [one, other] = await Promise.all(
      [30, 32].map((scaleBits) => compileAndBind(model, { packing: 'multiplexed', scaleBits })),
    )
    await using client = await openClient(one!.plan, createNativeClient)
    const keys = await client.evaluationKeys()
    let ended = false
    const makeHost: typeof createNativeHost = (parameters) => {
      const host = createNativeHost(parameters)
      const dispose = host.engine.dispose.bind(host.engine)
      host.engine.dispose = async () => {
        ended = true
        await dispose()
      }
      return host
    }
    await expect(openServer(other!, makeHost, keys)).rejects.toThrow(ParameterMismatchError)
    expect(ended).toBe(true)
  })
})

describe('an engine with other parameters than the plan', () => {
  it('is refused on both sides, and ended by whoever had it made', async () => {
    const [bound, other] = await Promise.all(
      [30, 32].map((scaleBits) => compileAndBind(model, { packing: 'multiplexed', scaleBits })),
    )
    const { plan, parameters } = bound!
    let ended = 0
    const counted = <E extends { dispose(): Promise<void> }>(engine: E): E => {
      const dispose = engine.dispose.bind(engine)
      engine.dispose = () => {
        ended++
        return dispose()
      }
      return engine
    }
    await expect(openClient(plan, () => counted(createNativeClient(other!.parameters)))).rejects.toThrow(
      /the client's engine has the parameters/,
    )
    await using client = await openClient(plan, createNativeClient)
    const keys = await client.evaluationKeys()
    const makeHost = () => {
      const host = createNativeHost(other!.parameters)
      counted(host.engine)
      return host
    }
    const opened = openServer(bound!, makeHost, keys)
    await expect(opened).rejects.toThrow(ParameterMismatchError)
    await expect(opened).rejects.toThrow(/the server's engine has the parameters/)
    expect(ended).toBe(2)
    // sessions leave it to whoever made it
    await using wrong = createNativeClient(other!.parameters)
    await expect(ClientSession.create(plan, wrong)).rejects.toThrow(ParameterMismatchError)
    expect(() => new ClientSession({ plan, engine: wrong, key: new Uint8Array(1) })).toThrow(ParameterMismatchError)
    const host = createNativeHost(other!.parameters)
    expect(() => new ServerSession(bound!, host)).toThrow(ParameterMismatchError)
    await host.engine.dispose()
    await using right = createNativeClient(parameters)
    expect(right.parameters.id).toBe(client.session.engine.parameters.id)
  })
})

describe('files of the other engine', () => {
  const engines = {
    native: { makeClient: createNativeClient as MakeClientEngine, makeHost: createNativeHost as MakeEngineHost },
    seal: { makeClient: createSealClient as MakeClientEngine, makeHost: createSealHost as MakeEngineHost },
  }
  it.each([
    ['native', 'seal', /a file of the native engine, which SEAL cannot read: use that engine \(--engine native\)/],
    ['seal', 'native', /a file of SEAL, which the SEAL engine reads alone: use that engine \(--engine seal\)/],
  ] as const)('of %s, opened with %s: it is said whose they are', async (own, other, says) => {
    const options = { packing: 'multiplexed', request: sealParameters, bootstrapping: 'never' } as const
    const bound = await compileAndBind(model, options)
    const here = await mkdtemp(join(tmpdir(), 'engines-'))
    try {
      const { makeClient, makeHost } = engines[other]
      await using client = await createClientFolder(join(here, 'client'), bound.plan, engines[own].makeClient)
      await writeServerFolder(client, join(here, 'server'))
      const file = await client.encrypt(input)
      const inMemory = await client.evaluationKeys()
      await expect(openServer(bound, makeHost, inMemory)).rejects.toThrow(says)
      const folder = openServerFolder(join(here, 'server'), { model, makeHost })
      await expect(folder).rejects.toThrow(MissingKeyError)
      await expect(folder).rejects.toThrow(
        `were made by the ${own} engine: if another one runs, run the plan with this one (--engine ${own})`,
      )
      await expect(openClientFolder(join(here, 'client'), makeClient)).rejects.toThrow(says)
      await using stranger = await openClient(bound.plan, makeClient)
      await using server = await openServer(bound, makeHost, await stranger.evaluationKeys())
      await expect(server.run(file)).rejects.toThrow(says)
      await expect(stranger.decrypt(file)).rejects.toThrow(says)
    } finally {
      await rm(here, { recursive: true })
    }
  })
})

describe('folders of a client and a server', () => {
  let bound: BoundPlan
  let here: string
  beforeAll(async () => {
    bound = await compileAndBind(model, { packing: 'multiplexed', scaleBits: 30 })
  })
  beforeEach(async () => {
    here = await mkdtemp(join(tmpdir(), 'folders-'))
  })
  afterEach(() => rm(here, { recursive: true, force: true }))
  const at = (...names: string[]): string => join(here, ...names)

  it('are deployed apart, opened again, and the server has no secret', async () => {
    {
      await using client = await createClientFolder(at('client'), bound.plan, createNativeClient)
      await writeServerFolder(client, at('server'), { model: { 'toy.txt': new TextEncoder().encode('toy') } })
    }
    expect((await readdir(at('client'))).sort()).toEqual(['plan.json', 'secret.key', 'secret.key.ledger'])
    expect((await stat(at('client', 'secret.key'))).mode & 0o777).toBe(0o600)
    expect((await stat(at('client'))).mode & 0o777).toBe(0o700)
    expect((await readdir(at('server'))).sort()).toEqual(['keys', 'plan.json', 'toy.txt'])
    for (const name of await readdir(at('server', 'keys')))
      expect((await readFile(at('server', 'keys', name))).includes('secretKey'), name).toBe(false)

    const warnings: string[] = []
    await using client = await openClientFolder(at('client'), createNativeClient, {
      onWarning: (text) => warnings.push(text),
    })
    await using server = await openServerFolder(at('server'), {
      makeHost: createNativeHost,
      model: async (folder) => {
        expect(await readFile(join(folder, 'toy.txt'), 'utf8')).toBe('toy')
        return model
      },
    })
    expectAnswer(await client.decrypt(await server.run(await client.encrypt(input))))
    expect(client.session.ledger).toBeDefined()
    expect(warnings).toEqual([])
  })
  it('a client folder is never written over, and is judged before it is used', async () => {
    await (await createClientFolder(at('client'), bound.plan, createNativeClient)).dispose()
    const before = await readFile(at('client', 'secret.key'))
    await expect(createClientFolder(at('client'), bound.plan, createNativeClient)).rejects.toThrow(/never written over/)
    expect(await readFile(at('client', 'secret.key'))).toEqual(before)
    const other = await compileAndBind(model, { packing: 'multiplexed', scaleBits: 32 })
    await writeFile(at('client', 'plan.json'), JSON.stringify(other.plan))
    await expect(openClientFolder(at('client'), createNativeClient)).rejects.toThrow(ParameterMismatchError)
    await writeFile(at('client', 'plan.json'), '{')
    await expect(openClientFolder(at('client'), createNativeClient)).rejects.toThrow(FormatError)
    await expect(openClientFolder(at('nowhere'), createNativeClient)).rejects.toThrow(FileSystemError)
  })
  it('warn of a secret key that others can read', async () => {
    await (await createClientFolder(at('client'), bound.plan, createNativeClient)).dispose()
    const { chmod } = await import('node:fs/promises')
    await chmod(at('client', 'secret.key'), 0o644)
    const warnings: string[] = []
    const options = { onWarning: (text: string) => warnings.push(text) }
    await (await openClientFolder(at('client'), createNativeClient, options)).dispose()
    expect(warnings).toEqual([expect.stringContaining('chmod 600')])
  })
  it('a server folder is completed, and refuses names that lead elsewhere', async () => {
    await using client = await createClientFolder(at('client'), bound.plan, createNativeClient)
    const first = await writeServerFolder(client, at('server'))
    await rm(at('server', 'keys', 'keys.manifest'), { force: true })
    const again = await writeServerFolder(client, at('server'))
    expect([first.reused, again.reused]).toEqual([0, first.keys])
    for (const name of ['../x', 'a/b', 'plan.json', 'keys', '.', '..', ''])
      await expect(writeServerFolder(client, at('server'), { model: { [name]: new Uint8Array(1) } })).rejects.toThrow(
        InvalidArgumentError,
      )
    await expect(writeServerFolder(client, at('client'))).rejects.toThrow(/holds a secret key/)
    expect((await readdir(at('client'))).sort()).toEqual(['plan.json', 'secret.key', 'secret.key.ledger'])
    await rm(at('server', 'keys'), { recursive: true })
    const opened = openServerFolder(at('server'), { model, makeHost: createNativeHost })
    await expect(opened).rejects.toSatisfy((e) => e instanceof MissingKeyError || e instanceof FileSystemError)
  })
})
