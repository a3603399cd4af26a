/** Keys that are refused, stores from outside, and the session's end. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CancelledError,
  DisposedError,
  FormatError,
  InvalidArgumentError,
  type KeyRequest,
  type KeySource,
  keyBytes,
  MemoryError,
  MissingKeyError,
  ParameterMismatchError,
  sha256,
  toHex,
} from '@he-ml/ckks-core'
import { type KeyFile, offerKeyFiles } from '@he-ml/ckks-core/client'
import { writeKeyFolder } from '@he-ml/ckks-core/client/node'
import { createNativeClient } from '@he-ml/ckks-native/client'
import type { BoundPlan } from '@he-ml/pipeline'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { ClientSession } from '../client/client-session.ts'
import { connectServer } from '../client/server-link.ts'
import { type Connection, loopback } from '../connection.ts'
import type { Message } from '../protocol/messages.ts'
import { bind, host, image } from '../session.test-helper.ts'
import { answer } from './answer.ts'
import { ServerSession } from './server-session.ts'

let bound: BoundPlan
let client: ClientSession
let file: Uint8Array
let source: KeySource & { readonly kind: 'memory' }
let folder = ''
const keys: KeyFile[] = []
beforeAll(async () => {
  bound = await bind()
  client = await ClientSession.create(bound.plan, createNativeClient(bound.parameters))
  for await (const key of client.evaluationKeys()) keys.push(key)
  source = { kind: 'memory', files: keys.map(({ bytes }) => bytes), keyId: client.secret.keyId }
  file = await client.encrypt([image(1)])
  folder = await mkdtemp(join(tmpdir(), 'he-ml-session-'))
  await writeKeyFolder(client.engine, client.secret, bound.plan.keyRequest as KeyRequest, folder, {
    plan: bound.plan.id,
  })
})
afterAll(async () => {
  await rm(folder, { recursive: true })
  await client.dispose()
})

const session = (options: ConstructorParameters<typeof ServerSession>[2] = {}): ServerSession =>
  new ServerSession(bound, host(bound), options)
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
const outcome = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error)

describe('keys that are refused', () => {
  it('leave those that are open as they are, whatever is wrong with them', async () => {
    await using server = session()
    await server.openKeys(source)
    const wanted = (await server.run(file)).file
    const empty = await mkdtemp(join(tmpdir(), 'he-ml-session-'))
    const refused: [KeySource, new (message: string) => Error][] = [
      [{ kind: 'memory', files: source.files.map(() => new Uint8Array(100).fill(7)) }, FormatError],
      [{ kind: 'memory', files: source.files.slice(1) }, MissingKeyError],
      [{ kind: 'memory', files: [...source.files, source.files[0]!] }, FormatError],
      [{ ...source, keyId: '00'.repeat(16) }, ParameterMismatchError],
      [{ kind: 'folder', path: empty }, MissingKeyError],
    ]
    for (const [bad, type] of refused) {
      await expect(server.openKeys(bad)).rejects.toThrow(type)
      expect(server.keyId).toBe(client.secret.keyId)
      expect(same((await server.run(file)).file, wanted)).toBe(true)
    }
    await rm(empty, { recursive: true })
  })

  it('over a connection: likewise', async () => {
    await using server = session()
    await server.openKeys(source)
    const [theirs, ours] = loopback()
    const done = answer(server, theirs)
    const link = await connectServer(ours)
    const bytes = new Uint8Array(100).fill(7)
    const hash = toHex(sha256(bytes))
    const garbage = keys.map((key) => ({ ...key, bytes, sha256: hash }))
    const offer = offerKeyFiles(garbage, client.secret.keyId)
    await expect(link.sendKeys(offer)).rejects.toThrow(FormatError)
    await done
    expect(server.keyId).toBe(client.secret.keyId)
    expect((await server.run(file)).file.length).toBeGreaterThan(1000)
  })

  it('those of another secret key take their place when they are good', async () => {
    await using server = session()
    await using stranger = await ClientSession.create(bound.plan, createNativeClient(bound.parameters))
    const files: Uint8Array[] = []
    for await (const { bytes } of stranger.evaluationKeys()) files.push(bytes)
    for (const first of [source, { kind: 'folder', path: folder } as const]) {
      await server.openKeys(first)
      await server.run(file)
      await server.openKeys({ kind: 'memory', files })
      expect(server.keyId).toBe(stranger.secret.keyId)
      // held before the first of them is loaded
      await expect(server.run(file)).rejects.toThrow(ParameterMismatchError)
      await server.run(await stranger.encrypt([image(1)]))
    }
  })

  it('runs may begin until they are judged; then these are not exchanged', async () => {
    await using server = session()
    await server.openKeys(source)
    let release = (): void => {}
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined)
    })
    const opening = server.openKeys({ kind: 'folder', path: folder })
    // a run that waits for its checkpoint
    const checkpoints = { get: () => held, put: async () => {}, delete: async () => {}, clear: async () => {} }
    const running = server.run(file, { checkpoints })
    await expect(opening).rejects.toThrow(/runs are at work/)
    release()
    await running
  })

  it('a budget for keys below what one layer needs at once: said with both numbers', async () => {
    const bytesOf = (needs: (typeof bound.program.tasks)[number]['keys']): number =>
      needs.reduce((sum, need) => sum + keyBytes(bound.parameters, need), 0)
    const most = Math.max(...bound.program.tasks.map((task) => bytesOf(task.keys)))
    for (const from of [source, { kind: 'folder', path: folder } as const]) {
      await using small = session({ keyBudget: most - 1 })
      const refusal = await outcome(small.openKeys(from))
      expect(refusal).toBeInstanceOf(MemoryError)
      expect(String(refusal)).toMatch(new RegExp(`needs keys of ${most} bytes .* ${most - 1} bytes`))
      expect(small.keys).toBeUndefined()
      await using enough = session({ keyBudget: most })
      await enough.openKeys(from)
      await enough.run(file)
    }
    const own = host(bound)
    expect(() => new ServerSession(bound, own, { memory: Number.NaN, keyBudget: most })).toThrow(InvalidArgumentError)
    await own.engine.dispose()
  })
})

it('a checkpoint store may be a class; it is not cleared by the session', async () => {
  class Checkpoints {
    readonly files = new Map<string, Uint8Array>()
    async put(name: string, bytes: Uint8Array): Promise<void> {
      this.files.set(name, bytes)
    }
    async get(name: string): Promise<Uint8Array | undefined> {
      return this.files.get(name)
    }
    async delete(name: string): Promise<void> {
      this.files.delete(name)
    }
    async clear(): Promise<void> {
      this.files.clear()
    }
  }
  await using server = session()
  await server.openKeys(source)
  const checkpoints = new Checkpoints()
  const first = (await server.run(file, { checkpoints })).file
  expect(checkpoints.files.size).toBeGreaterThan(0)
  expect(same((await server.run(file, { checkpoints })).file, first)).toBe(true)
})

describe('a session that was disposed of', () => {
  it('says so, whatever it is asked for, and to clients too', async () => {
    const server = session()
    await server.openKeys(source)
    const [theirs, ours] = loopback()
    const done = answer(server, theirs)
    const link = await connectServer(ours)
    await Promise.all([server.dispose(), server.dispose()])
    await server.dispose()
    expect(server.keys).toBeUndefined()
    for (const work of [
      () => server.openKeys(source),
      () => server.loadKeys(),
      () => server.prepare(),
      () => server.run(file),
      () => link.run(file),
      () => link.sendKeys(offerKeyFiles(keys, client.secret.keyId)),
    ])
      await expect(work()).rejects.toThrow(DisposedError)
    await done
  })

  it('while keys are opened: neither these nor their store are left', async () => {
    for (const from of [source, { kind: 'folder', path: folder } as const])
      for (let ticks = 0; ticks < 40; ticks += 3) {
        const server = session()
        const opening = outcome(server.openKeys(from))
        for (let i = 0; i < ticks; i++) await Promise.resolve()
        await server.dispose()
        const error = await opening
        // they may have been open before
        if (error !== undefined) expect(error).toBeInstanceOf(DisposedError)
        expect(server.keys).toBeUndefined()
        await expect(server.loadKeys()).rejects.toThrow(DisposedError)
      }
  })

  it('while keys are loaded: that ends', async () => {
    for (let ticks = 0; ticks < 30; ticks++) {
      const server = session()
      await server.openKeys(source)
      await server.loadKeys()
      const loading = outcome(server.loadKeys())
      for (let i = 0; i < ticks; i++) await Promise.resolve()
      await server.dispose()
      const error = await loading
      // they may all have been there before
      if (error !== undefined) expect(error).toBeInstanceOf(DisposedError)
    }
  })

  it('while a run is at work: it ends with DisposedError, unless somebody cancelled it', async () => {
    for (let ticks = 0; ticks < 120; ticks += 4) {
      const server = session()
      await server.openKeys(source)
      const running = outcome(server.run(file))
      for (let i = 0; i < ticks; i++) await Promise.resolve()
      await server.dispose()
      expect(await running, `after ${ticks} ticks`).toBeInstanceOf(DisposedError)
    }
    const server = session()
    await server.openKeys(source)
    const controller = new AbortController()
    const running = outcome(server.run(file, { signal: controller.signal }))
    controller.abort()
    await server.dispose()
    expect(await running).toBeInstanceOf(CancelledError)
  })
})

it('runs of a client that talks nonsense are aborted before it is told so', async () => {
  await using server = session()
  await server.openKeys(source)
  let signal: AbortSignal | undefined
  vi.spyOn(server, 'run').mockImplementation((_, options) => {
    signal = options?.signal
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new CancelledError('stop'))))
  })
  const run = '0a'.repeat(8)
  const said: Message[] = [
    { header: { type: 'hello', protocol: 1 } },
    { header: { type: 'run', run, bytes: 1 } },
    { header: { type: 'inputChunk', run, offset: 0 }, payload: Uint8Array.of(1) },
    { header: { type: 'keysReady', keyId: '00'.repeat(16) } },
  ]
  const aborted: (boolean | undefined)[] = []
  const connection: Connection = {
    messages: (async function* () {
      yield* said
    })(),
    close: async () => {},
    send: async ({ header }) => {
      if (header.type === 'error' && header.run === undefined) aborted.push(signal?.aborted)
    },
  }
  await answer(server, connection)
  expect(aborted).toEqual([true])
})
