/** Client and server over a connection: keys, runs side by side, cancellation, publication, refusals. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CancelledError,
  DisposedError,
  FormatError,
  InvalidArgumentError,
  type KeyNeed,
  type KeyRequest,
  keyBytes,
  listKeyNeeds,
  MemoryError,
  MissingKeyError,
  ParameterMismatchError,
  SecurityError,
} from '@he-ml/ckks-core'
import { type KeyFile, offerKeyFiles } from '@he-ml/ckks-core/client'
import { offerKeyFolder, writeKeyFolder } from '@he-ml/ckks-core/client/node'
import { createNativeClient } from '@he-ml/ckks-native/client'
import type { BoundPlan } from '@he-ml/pipeline'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { ClientSession } from './client/client-session.ts'
import { connectServer, type ServerLink } from './client/server-link.ts'
import { type Connection, loopback } from './connection.ts'
import { answer } from './server/answer.ts'
import { ServerSession } from './server/server-session.ts'
import { bind, host, image, model } from './session.test-helper.ts'

let bound: BoundPlan
let client: ClientSession
let server: ServerSession
let link: ServerLink
let answering: Promise<void>
let ends: [Connection, Connection]
const keys: KeyFile[] = []
const errors: unknown[] = []

beforeAll(async () => {
  bound = await bind()
  client = await ClientSession.create(bound.plan, createNativeClient(bound.parameters))
  for await (const key of client.evaluationKeys()) keys.push(key)
  server = new ServerSession(bound, host(bound))
  ends = loopback()
  answering = answer(server, ends[0], { onError: (error) => errors.push(error) })
  link = await connectServer(ends[1], { plan: bound.plan.id })
})
afterAll(async () => {
  await link.dispose()
  await answering
  await server.dispose()
  await client.dispose()
})

/** Another connection to the same server. */
async function another(): Promise<{ end: Connection; link: ServerLink; done: Promise<void> }> {
  const [theirs, end] = loopback()
  const done = answer(server, theirs, { maxRuns: 1 })
  return { end, link: await connectServer(end), done }
}

describe('a session', () => {
  it('refuses runs before the keys are there', async () => {
    await expect(link.run(await client.encrypt([image(1)]))).rejects.toThrow(MissingKeyError)
    expect(errors.at(-1)).toBeInstanceOf(MissingKeyError)
    await expect(server.run(new Uint8Array(10))).rejects.toThrow(MissingKeyError)
    await expect(server.prepare()).rejects.toThrow(MissingKeyError)
  })

  it('tells its plan, takes the keys it wants, and answers what the network says', async () => {
    expect(link.plan).toEqual(bound.plan)
    expect(link.engine).toBe('native')
    const extra = { ...keys[0]!, name: 'extra.key', level: 0 }
    const sent: string[] = []
    const offer = offerKeyFiles([extra, ...keys], client.secret.keyId)
    await link.sendKeys(offer, (done, total) => sent.push(`${done}/${total}`))
    expect(sent.at(-1)).toBe(`${keys.length}/${keys.length}`)
    expect(server.keyId).toBe(client.secret.keyId)
    await server.prepare()
    const fractions: number[] = []
    const file = await link.run(await client.encrypt([image(3)]), { onProgress: (p) => fractions.push(p.fraction) })
    const [got] = await client.decrypt(file, 1)
    const want = model().forward(image(3))
    for (const [i, v] of want.data.entries()) expect(Math.abs(got!.data[i]! - v)).toBeLessThan(1e-2)
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b))
  })

  it('runs several inputs side by side; one is cancelled, the other ends with the same bits as alone', async () => {
    const [one, two] = [await client.encrypt([image(5)]), await client.encrypt([image(6)])]
    const alone = await link.run(two)
    for (let round = 0; ; round++) {
      const controller = new AbortController()
      const first = link.run(one, { signal: controller.signal }).catch((error: unknown) => error)
      const second = link.run(two)
      // as soon as anything of the first is at work
      await Promise.resolve()
      controller.abort()
      expect(await second).toEqual(alone)
      const outcome = await first
      // a machine with other work may finish it before it hears of the cancellation
      if (outcome instanceof Uint8Array && round < 50) continue
      expect(outcome).toBeInstanceOf(CancelledError)
      break
    }
    expect(await link.run(one)).toBeInstanceOf(Uint8Array)
    await expect(link.run(one, { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError)
  })

  it('publishes through the ledger, and not without one', async () => {
    const file = await link.run(await client.encrypt([image(7)]))
    const wish = { queries: 1, images: 1, statisticalBits: 20, precisionBits: -40 }
    const { tensors, summary } = await client.publish(file, wish)
    expect(summary).toMatchObject({ queries: 1, statisticalBits: 20 })
    expect(tensors[0]!.data).toHaveLength(3)
    await expect(client.publish(file, wish)).rejects.toThrow(SecurityError)
    const { plan, engine, key } = client
    await expect(new ClientSession({ plan, engine, key }).publish(file, wish)).rejects.toThrow(/no ledger/)
  })

  it('takes no keys where it has its own, and tells so', async () => {
    await using other = new ServerSession(bound, host(bound))
    const [theirs, ours] = loopback()
    const answering = answer(other, theirs, { acceptKeys: false })
    const refused = await connectServer(ours, { plan: bound.plan.id })
    await expect(refused.sendKeys(offerKeyFiles(keys, client.secret.keyId))).rejects.toThrow(
      /has its keys and takes no others/,
    )
    await answering
    expect(other.keyId).toBeUndefined()
  })
  it('refuses what is no input of its plan and key', async () => {
    const file = await client.encrypt([image(8)])
    await expect(link.run(file.map((byte, i) => (i === 5000 ? byte ^ 1 : byte)))).rejects.toThrow(FormatError)
    await expect(link.run(new Uint8Array(server.maxInputBytes + 1))).rejects.toThrow(/have at most/)
    const stranger = await ClientSession.create(bound.plan, createNativeClient(bound.parameters))
    await expect(link.run(await stranger.encrypt([image(8)]))).rejects.toThrow(ParameterMismatchError)
    await stranger.dispose()
    await expect(client.encrypt([image(1), image(2)])).rejects.toThrow(InvalidArgumentError)
    const open = new ClientSession({ plan: bound.plan, engine: client.engine, key: new Uint8Array(1) })
    await expect(open.decrypt(file)).rejects.toThrow(/public key/)
  })
})

describe('a connection', () => {
  it('ends with the reason when a message makes no sense, and the server goes on', async () => {
    const nonsense: Parameters<Connection['send']>[0][] = [
      { header: { type: 'keysReady', keyId: '00'.repeat(16) } },
      { header: { type: 'keyChunk', file: 'a.key', offset: 0 }, payload: new Uint8Array(1) },
    ]
    for (const message of nonsense) {
      const { end, link: other, done } = await another()
      const run = other.run(await client.encrypt([image(1)])).catch((error: unknown) => error)
      await end.send(message)
      await done
      expect(await run).toBeInstanceOf(Error)
      await expect(other.run(new Uint8Array(1))).rejects.toThrow()
    }
    const [theirs, end] = loopback()
    const done = answer(server, theirs)
    await end.send({ header: { type: 'cancel', run: '00'.repeat(8) } })
    await done
    const replies = []
    for await (const { header } of end.messages) replies.push(header)
    expect(replies).toMatchObject([{ type: 'error', code: 'Format' }])
    await link.run(await client.encrypt([image(1)]))
  })

  it('refuses more runs than it allows, and sets of another plan', async () => {
    const { end, link: other, done } = await another()
    const input = await client.encrypt([image(1)])
    await end.send({ header: { type: 'run', run: '11'.repeat(8), bytes: 100 } })
    await expect(other.run(input)).rejects.toThrow(/no more at a time/)
    await end.send({ header: { type: 'cancel', run: '11'.repeat(8) } })
    await other.run(input)
    const { plan } = bound
    const set = { type: 'keySet' as const, parameters: bound.parameters.id, keyId: '00'.repeat(16), keys: [] }
    const ended = other.sendKeys(offerKeyFiles([], '00'.repeat(16))).catch((error: unknown) => error)
    expect(await ended).toBeInstanceOf(MissingKeyError)
    await done
    const again = await another()
    await again.end.send({ header: { ...set, plan: plan.id.replace(/^./, (c) => (c === '0' ? '1' : '0')) } })
    await again.done
    await expect(again.link.run(input)).rejects.toThrow(ParameterMismatchError)
  })

  it('is refused by a client that wants another plan', async () => {
    const [theirs, end] = loopback()
    const done = answer(server, theirs)
    await expect(connectServer(end, { plan: '00'.repeat(32) })).rejects.toThrow(ParameterMismatchError)
    await done
    await expect(end.send({ header: { type: 'hello', protocol: 1 } })).rejects.toThrow(DisposedError)
  })
})

describe('keys that are in use', () => {
  it('are not replaced: neither by the server itself nor by another connection', async () => {
    const file = await client.encrypt([image(2)])
    const wanted = (await server.run(file)).file
    let release = (): void => {}
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined)
    })
    // a run that waits for its checkpoint
    const checkpoints = { get: () => held, put: async () => {}, delete: async () => {}, clear: async () => {} }
    const running = server.run(file, { checkpoints })
    const source = { kind: 'memory' as const, files: keys.map(({ bytes }) => bytes) }
    await expect(server.openKeys(source)).rejects.toThrow(InvalidArgumentError)
    await expect(server.openKeys(source)).rejects.toThrow(/runs are at work/)
    const { link: other, done } = await another()
    const read: string[] = []
    const offer = offerKeyFiles(keys, client.secret.keyId)
    const sent = other.sendKeys({
      ...offer,
      read: (entry) => {
        read.push(entry.file)
        return offer.read(entry)
      },
    })
    await expect(sent).rejects.toThrow(/keySet: runs are at work/)
    await done
    // said before a key was sent
    expect(read).toEqual([])
    release()
    expect((await running).file).toEqual(wanted)
  })

  it('are opened by one at a time, and may be replaced afterwards', async () => {
    const source = { kind: 'memory' as const, files: keys.map(({ bytes }) => bytes), keyId: client.secret.keyId }
    const first = server.openKeys(source)
    await expect(server.openKeys(source)).rejects.toThrow(/other keys are being opened/)
    await first
    expect(server.keyId).toBe(client.secret.keyId)
    await server.openKeys(source)
    expect(server.keyId).toBe(client.secret.keyId)
  })
})

describe('the server', () => {
  it('goes on after all that', async () => {
    expect((await server.run(await client.encrypt([image(3)]))).file.length).toBeGreaterThan(1000)
  })
})

describe('keys by need', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'he-ml-session-'))
    await writeKeyFolder(client.engine, client.secret, request(), folder, { plan: bound.plan.id })
  })
  afterAll(() => rm(folder, { recursive: true }))
  /** What a server with all the room gives. */
  async function plenty(file: Uint8Array): Promise<Uint8Array> {
    await using session = new ServerSession(bound, host(bound))
    await session.openKeys({ kind: 'folder', path: folder })
    return (await session.run(file)).file
  }
  const request = () => bound.plan.keyRequest as KeyRequest
  const bytesOf = (needs: readonly KeyNeed[]) => needs.reduce((sum, n) => sum + keyBytes(bound.parameters, n), 0)
  /** As few bytes as the neediest task allows. */
  const leastBudget = () => Math.max(...bound.program.tasks.map(({ keys }) => bytesOf(keys)))

  it('with less room than all of them take: the same bits, alone and side by side, and never more in memory', async () => {
    const file = await client.encrypt([image(9)])
    const wanted = await plenty(file)
    const budget = leastBudget()
    expect(budget).toBeLessThan(bytesOf(listKeyNeeds(request())))
    await using small = new ServerSession(bound, host(bound), { keyBudget: budget })
    await small.openKeys({ kind: 'folder', path: folder })
    expect(small.keys!.residentBytes).toBe(0)
    expect((await small.run(file)).file).toEqual(wanted)
    expect(small.keys!.residentBytes).toBeLessThanOrEqual(budget)
    const results = await Promise.all([1, 2, 3].map(() => small.run(file)))
    for (const result of results) expect(result.file).toEqual(wanted)
    const loaded: string[] = []
    await small.loadKeys({ onProgress: (done, total) => loaded.push(`${done}/${total}`) })
    const { length } = listKeyNeeds(request())
    expect(loaded.at(-1)).toBe(`${length}/${length}`)
    expect(small.keys!.residentBytes).toBeLessThanOrEqual(budget)
  })

  it('a ceiling of memory below what any run takes is refused before a key is read', async () => {
    await using least = new ServerSession(bound, host(bound), { memory: 1 })
    const refusal = await least.openKeys({ kind: 'folder', path: folder }).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(MemoryError)
    const bytes = Number(/takes (\d+) bytes at least/.exec(String(refusal))?.[1])
    expect(bytes).toBeGreaterThan(leastBudget())
    expect(least.keys).toBeUndefined()
    const file = await client.encrypt([image(9)])
    await using small = new ServerSession(bound, host(bound), { memory: bytes })
    await small.openKeys({ kind: 'folder', path: folder })
    expect(small.keys!.residentBytes).toBe(0)
    expect((await small.run(file)).file).toEqual(await plenty(file))
    await small.loadKeys()
    expect(small.keys!.residentBytes).toBeLessThanOrEqual(bytes)
    await using less = new ServerSession(bound, host(bound), { memory: bytes - 1 })
    await expect(less.openKeys({ kind: 'folder', path: folder })).rejects.toThrow(MemoryError)
  })

  it('weights are encoded once for runs side by side', async () => {
    const spied = host(bound)
    const encode = vi.spyOn(spied.engine, 'encode')
    await using session = new ServerSession(bound, spied)
    await session.openKeys({ kind: 'folder', path: folder })
    await session.prepare()
    const once = encode.mock.calls.length
    expect(once).toBeGreaterThan(0)
    const file = await client.encrypt([image(2)])
    await Promise.all([1, 2, 3].map(() => session.run(file)))
    expect(encode.mock.calls.length).toBe(once)
    const held = session.engine.memory().plaintexts
    await session.dropWeights()
    expect(session.engine.memory().plaintexts).toBeLessThan(held)
    await session.prepare()
    expect(encode.mock.calls.length).toBe(2 * once)
    expect(session.engine.memory().plaintexts).toBe(held)
  })

  it('a folder is sent one file at a time', async () => {
    await using remote = new ServerSession(bound, host(bound))
    const [theirs, ours] = loopback()
    const done = answer(remote, theirs)
    const to = await connectServer(ours)
    const offer = await offerKeyFolder(folder, bound.parameters, bound.plan.id)
    const read: string[] = []
    await to.sendKeys({
      ...offer,
      read: (entry) => {
        read.push(entry.file)
        return offer.read(entry)
      },
    })
    expect(read.sort()).toEqual(offer.entries.map(({ file }) => file).sort())
    const file = await client.encrypt([image(4)])
    expect(await to.run(file)).toEqual(await plenty(file))
    await to.dispose()
    await done
  })
})
