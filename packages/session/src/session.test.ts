/** Client and server over a connection: keys, runs side by side, cancellation, publication, refusals. */
import {
  CancelledError,
  DisposedError,
  FormatError,
  InvalidArgumentError,
  MissingKeyError,
  ParameterMismatchError,
  SecurityError,
} from '@he-ml/ckks-core'
import type { KeyFile } from '@he-ml/ckks-core/client'
import { createNativeClient } from '@he-ml/ckks-native/client'
import type { BoundPlan } from '@he-ml/pipeline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClientSession } from './client/client-session.ts'
import { connectServer, type ServerLink } from './client/server-link.ts'
import { type Connection, loopback } from './connection.ts'
import { answer } from './server/answer.ts'
import { ServerSession } from './server/server-session.ts'
import { bind, image, model, nativeHost } from './session.test-helper.ts'

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
  server = new ServerSession(bound, nativeHost(bound.parameters))
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
    await link.sendKeys([extra, ...keys], client.secret.keyId, (done, total) => sent.push(`${done}/${total}`))
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

  it('refuses what is no input of its plan and key', async () => {
    const file = await client.encrypt([image(8)])
    await expect(link.run(file.map((byte, i) => (i === 5000 ? byte ^ 1 : byte)))).rejects.toThrow(FormatError)
    await expect(link.run(new Uint8Array(server.maxInputBytes + 1))).rejects.toThrow(/have at most/)
    const stranger = await ClientSession.create(bound.plan, createNativeClient(bound.parameters))
    await expect(link.run(await stranger.encrypt([image(8)]))).rejects.toThrow(ParameterMismatchError)
    await stranger.dispose()
    expect(() => client.encrypt([image(1), image(2)])).toThrow(InvalidArgumentError)
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
    const ended = other.sendKeys([], '00'.repeat(16)).catch((error: unknown) => error)
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
