/** A secret key never lies in what a server gets, and no client writes over another's folder. */
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  FormatError,
  InvalidArgumentError,
  type KeyRequest,
  ParameterMismatchError,
  sha256,
  toHex,
} from '@he-ml/ckks-core'
import { writeKeyFolder } from '@he-ml/ckks-core/client/node'
import { createNativeHost } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { sealParameters } from '@he-ml/ckks-seal'
import { createSealClient } from '@he-ml/ckks-seal/client'
import { createTensor, Model } from '@he-ml/model'
import { linear } from '@he-ml/nn-layers'
import { type CompileOptions, compile, type Plan, parametersOf } from '@he-ml/pipeline'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readPlanFile } from '../../files/plan-file.ts'
import { openServerFolder } from '../../server/node/index.ts'
import { openClient } from '../inference-client.ts'
import { createClientFolder, openClientFolder, writeServerFolder } from './index.ts'

const layer = linear({ name: 'sum', weights: createTensor([2, 4], Float64Array.of(1, 2, 3, 4, -1, 0, 1, 0)) })
const model = new Model({ name: 'toy', input: { name: 'x', shape: [4] }, nodes: [{ layer, inputs: ['x'] }] })
const planOf = (options: CompileOptions): Promise<Plan> => compile(model, { packing: 'multiplexed', ...options })

const SEAL = { request: sealParameters, bootstrapping: 'never' } as const

let plan: Plan
let other: Plan
let here: string
beforeAll(async () => {
  plan = await planOf({ scaleBits: 30 })
  other = await planOf({ scaleBits: 32 })
})
beforeEach(async () => {
  here = await mkdtemp(join(tmpdir(), 'apart-'))
})
afterEach(() => rm(here, { recursive: true, force: true }))
const at = (...names: string[]): string => join(here, ...names)
const client = (folder: string, of = plan) => createClientFolder(at(folder), of, createNativeClient)

/** Every file with the hash of its bytes. */
async function contents(): Promise<Map<string, string>> {
  const entries = await readdir(here, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return new Map(
    await Promise.all(files.sort().map(async (file) => [file, toHex(sha256(await readFile(file)))] as const)),
  )
}

async function refused(call: () => Promise<unknown>, says: RegExp, type: new (m: string) => Error): Promise<void> {
  const before = await contents()
  const error: Error = await call().then(
    () => expect.unreachable(`${says}`),
    (e) => e,
  )
  expect(error, String(error)).toBeInstanceOf(type)
  expect(error.message).toMatch(says)
  expect(await contents()).toEqual(before)
}

describe('a server folder', () => {
  it.each([
    ['the client folder', 'a/client'],
    ['its parent', 'a'],
    ['further up', '.'],
  ])('is not %s', async (_, folder) => {
    await using mine = await client('a/client')
    await refused(() => writeServerFolder(mine, at(folder)), /holds a secret key \(.*secret\.key/, InvalidArgumentError)
  })
  it('within the client folder has no secret in it', async () => {
    await using mine = await client('client')
    await writeServerFolder(mine, at('client', 'server'))
    const names = await readdir(at('client', 'server'), { recursive: true })
    expect(names.filter((name) => /secret|ledger/.test(name))).toEqual([])
    for (const name of await readdir(at('client', 'server', 'keys')))
      expect((await readFile(at('client', 'server', 'keys', name))).includes('secretKey'), name).toBe(false)
    await (await openClientFolder(at('client'), createNativeClient)).dispose()
  })
  it('is judged behind links: its own, of its keys, and within', async () => {
    await using mine = await client('client')
    await symlink('client', at('link'))
    await refused(() => writeServerFolder(mine, at('link')), /holds a secret key/, InvalidArgumentError)
    await mkdir(at('server'))
    await symlink(at('client'), at('server', 'keys'))
    await refused(() => writeServerFolder(mine, at('server')), /keys is a link/, InvalidArgumentError)
    await mkdir(at('second'))
    await symlink(at('client'), at('second', 'data'))
    await refused(() => writeServerFolder(mine, at('second')), /secret key \(data.secret\.key/, InvalidArgumentError)
    await mkdir(at('third'))
    await symlink(at('client', 'secret.key'), at('third', 'net.onnx'))
    await refused(() => writeServerFolder(mine, at('third')), /secret key \(net\.onnx/, InvalidArgumentError)
    // links in a circle end, links to nothing are passed over
    await mkdir(at('circle', 'deep'), { recursive: true })
    await symlink(at('circle'), at('circle', 'deep', 'back'))
    await symlink(at('nowhere'), at('circle', 'none'))
    await writeServerFolder(mine, at('circle'))
  })
  it.each(['mine.bin', 'keys/galois-5.key', 'deep/er/data'])(
    'is none with a secret key under another name: %s, whole, cut or of SEAL',
    async (name) => {
      await using mine = await client('client')
      const key = await readFile(at('client', 'secret.key'))
      await using seal = await openClient(await planOf(SEAL), createSealClient)
      const theirs = await seal.session.engine.exportSecretKey(seal.session.secret)
      for (const [i, bytes] of [key, key.subarray(0, key.length / 2), theirs].entries()) {
        const folder = at(`server${i}`)
        await writeServerFolder(mine, folder)
        await mkdir(join(folder, name, '..'), { recursive: true })
        await writeFile(join(folder, name), bytes)
        const says = new RegExp(`server${i} holds a secret key \\(${name}\\)`)
        await refused(() => writeServerFolder(mine, folder), says, InvalidArgumentError)
        const open = () => openServerFolder(folder, { model, makeHost: createNativeHost })
        await refused(open, says, InvalidArgumentError)
        await rm(join(folder, name))
        if (!name.startsWith('keys'))
          await (await openServerFolder(folder, { model, makeHost: createNativeHost })).dispose()
      }
    },
  )
  it('gets no model file that is a secret key, or bears the name of one', async () => {
    await using mine = await client('client')
    await using foreign = await openClient(other, createNativeClient)
    const key = await readFile(at('client', 'secret.key'))
    const theirs = await foreign.session.engine.exportSecretKey(foreign.session.secret)
    for (const [name, bytes] of [
      ['secret.key', new Uint8Array(3)],
      ['my.key.ledger', new Uint8Array(3)],
      ['net.onnx', key],
      ['net.onnx', theirs],
    ] as const)
      await refused(
        () => writeServerFolder(mine, at('server'), { model: { [name]: bytes } }),
        /is a secret key/,
        InvalidArgumentError,
      )
  })
  it('gets no secret key of SEAL either', async () => {
    await using mine = await createClientFolder(at('client'), await planOf(SEAL), createSealClient)
    const bytes = await readFile(at('client', 'secret.key'))
    await refused(
      () => writeServerFolder(mine, at('server'), { model: { 'net.onnx': bytes } }),
      /"net\.onnx" is a secret key/,
      InvalidArgumentError,
    )
    await writeServerFolder(mine, at('server'), { model: { 'net.onnx': bytes.subarray(8) } })
  })
  it('of another client is left as it is, whole or unfinished', async () => {
    await using first = await client('first')
    await using second = await client('second')
    await using third = await client('third', other)
    await writeServerFolder(first, at('server'), { model: { 'toy.txt': new TextEncoder().encode('one') } })
    const model = { 'toy.txt': new TextEncoder().encode('two') }
    const overwrite = (mine: typeof first) => () => writeServerFolder(mine, at('server'), { model })
    await refused(overwrite(second), /keys of another secret key/, InvalidArgumentError)
    await refused(overwrite(third), /a server's of plan/, InvalidArgumentError)
    await rm(at('server', 'keys', 'keys.manifest'))
    await refused(overwrite(second), /keys of another secret key/, InvalidArgumentError)
    // keys alone, as the command line makes them
    await rename(at('server', 'plan.json'), at('elsewhere.json'))
    await refused(overwrite(second), /keys of another secret key/, InvalidArgumentError)
    await refused(overwrite(third), /keys of another secret key/, InvalidArgumentError)
    await writeFile(at('server', 'plan.json'), '{')
    await refused(overwrite(first), /plan\.json/, FormatError)
    await rm(at('server', 'plan.json'))
    expect((await writeServerFolder(first, at('server'))).reused).toBeGreaterThan(0)
  })
})

describe('folders that two write to at a time', () => {
  it("of a server are one client's, and whole", async () => {
    const clients = [await client('one'), await client('two'), await client('three', other)]
    try {
      const ends = await Promise.allSettled(clients.map((mine) => writeServerFolder(mine, at('server'))))
      expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const end of ends) {
        if (end.status === 'fulfilled') continue
        expect(end.reason).toBeInstanceOf(InvalidArgumentError)
        expect(end.reason.message).toMatch(/server.*(another process holds the folder|name another)/)
      }
      const winner = clients[ends.findIndex(({ status }) => status === 'fulfilled')]!
      expect((await readPlanFile(at('server'))).id).toBe(winner.plan.id)
      // nothing was mixed: all of it is the winner's
      const again = await writeServerFolder(winner, at('server'))
      expect(again.reused).toBe(again.keys)
      expect((await readdir(at('server'))).sort()).toEqual(['keys', 'plan.json'])
    } finally {
      for (const mine of clients) await mine.dispose()
    }
  })
  it("of keys are one key's, also where the first was done before the second began to write", async () => {
    await using one = await client('one')
    await using two = await client('two')
    const request = plan.keyRequest as KeyRequest
    const write = ({ session }: typeof one, beforeWriting?: () => Promise<void>) =>
      writeKeyFolder(session.engine, session.secret, request, at('keys'), {
        plan: plan.id,
        ...(beforeWriting ? { beforeWriting } : {}),
      })
    // held by the first while the second begins
    await write(one, async () => {
      await expect(write(two)).rejects.toThrow(/another process holds the folder/)
    })
    expect((await write(one)).reused).toBeGreaterThan(0)
    await rm(at('keys'), { recursive: true })
    // judged as empty by the second before the first has written
    const [first] = await Promise.allSettled([write(one), write(two)])
    const kept = first.status === 'fulfilled' ? one : two
    const { keys, reused } = await write(kept)
    expect(reused).toBe(keys)
    expect(await readdir(at('keys'))).not.toContain('.he-ml.lock')
  })
  it('leave no folder behind that was made for nothing', async () => {
    await using one = await client('one')
    const { engine, secret } = one.session
    const failing = writeKeyFolder(engine, secret, plan.keyRequest as KeyRequest, at('made', 'keys'), {
      beforeWriting: () => Promise.reject(new Error('no room')),
    })
    await expect(failing).rejects.toThrow('no room')
    await expect(readdir(at('made', 'keys'))).rejects.toThrow(/ENOENT/)
  })
})

describe('a client folder', () => {
  it('with the ledger of a key that is gone says which, and what to do', async () => {
    await (await client('client')).dispose()
    await rm(at('client', 'secret.key'))
    const ledger = at('client', 'secret.key.ledger')
    await refused(
      () => client('client'),
      new RegExp(`put the key back.*mv ${ledger} ${ledger}\\.old`),
      InvalidArgumentError,
    )
    await rename(ledger, `${ledger}.old`)
    await (await client('client')).dispose()
  })
  it('is made once of many at a time', async () => {
    const ends = await Promise.allSettled(Array.from({ length: 4 }, () => client('client')))
    const made = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
    expect(made).toHaveLength(1)
    for (const end of ends) if (end.status === 'rejected') expect(end.reason).toBeInstanceOf(InvalidArgumentError)
    await made[0]!.dispose()
    expect((await readdir(at('client'))).sort()).toEqual(['plan.json', 'secret.key', 'secret.key.ledger'])
    await (await openClientFolder(at('client'), createNativeClient)).dispose()
  })
  it('is no server folder and lies in none, nor in one of evaluation keys', async () => {
    await using mine = await client('client')
    await writeServerFolder(mine, at('server'))
    for (const folder of ['server', 'server/keys', 'server/deep/er'])
      await refused(() => client(folder), /a folder that a server gets/, InvalidArgumentError)
    await symlink('server', at('link'))
    for (const folder of ['link', 'link/new'])
      await refused(() => client(folder), /a folder that a server gets/, InvalidArgumentError)
    // before the keys are finished, too
    await rm(at('server', 'keys', 'keys.manifest'))
    await refused(() => client('server'), /a folder that a server gets/, InvalidArgumentError)
  })
  it('may lie where somebody works with plan, keys and secret key side by side', async () => {
    await using mine = await client('client')
    await writeServerFolder(mine, at('server'))
    await cp(at('server', 'keys'), at('keys'), { recursive: true })
    await cp(at('server', 'plan.json'), at('plan.json'))
    await (await client('second')).dispose()
  })
  it('has one plan', async () => {
    await (await client('client')).dispose()
    await rm(at('client', 'secret.key'))
    await rm(at('client', 'secret.key.ledger'))
    await refused(() => client('client', other), /plan\.json is plan .*, got plan/, InvalidArgumentError)
    await (await client('client')).dispose()
  })
  it('is made for one of two plans at the same time', async () => {
    const ends = await Promise.allSettled([client('client'), client('client', other)])
    const made = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
    expect(made).toHaveLength(1)
    const [failed] = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
    expect(failed).toBeInstanceOf(InvalidArgumentError)
    await using opened = await openClientFolder(at('client'), createNativeClient)
    expect(opened.plan.id).toBe(made[0]!.plan.id)
    expect(opened.session.secret.keyId).toBe(made[0]!.session.secret.keyId)
    await made[0]!.dispose()
  })
  it('is made with an engine of its plan alone', async () => {
    let ended = 0
    const wrong: typeof createNativeClient = () => {
      const engine = createNativeClient(parametersOf(other))
      const dispose = engine.dispose.bind(engine)
      engine.dispose = async () => {
        ended++
        await dispose()
      }
      return engine
    }
    const says = /the client's engine has the parameters .*, the plan has/
    await refused(() => createClientFolder(at('client'), plan, wrong), says, ParameterMismatchError)
    await (await client('client')).dispose()
    await refused(() => openClientFolder(at('client'), wrong), says, ParameterMismatchError)
    await refused(() => openClient(plan, wrong), says, ParameterMismatchError)
    expect(ended).toBe(3)
  })
})
