/** What is left of a link when a request fails, on either side. */
import {
  DisposedError,
  FormatError,
  HeMlError,
  InvalidArgumentError,
  MemoryError,
  ParameterMismatchError,
} from '@he-ml/ckks-core'
import { type KeyOffer, offerKeyFiles } from '@he-ml/ckks-core/client'
import { createNativeClient } from '@he-ml/ckks-native/client'
import type { BoundPlan } from '@he-ml/pipeline'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Connection, loopback } from '../connection.ts'
import type { HeaderOf, Message } from '../protocol/messages.ts'
import { answer } from '../server/answer.ts'
import { ServerSession } from '../server/server-session.ts'
import { bind, host, image } from '../session.test-helper.ts'
import { ClientSession } from './client-session.ts'
import { connectServer, type ServerLink } from './server-link.ts'

let bound: BoundPlan
let client: ClientSession
let server: ServerSession
let offer: KeyOffer
const unhandled: unknown[] = []
const note = (error: unknown): void => void unhandled.push(error)

beforeAll(async () => {
  process.on('unhandledRejection', note)
  bound = await bind()
  client = await ClientSession.create(bound.plan, createNativeClient(bound.parameters))
  const keys = []
  for await (const key of client.evaluationKeys()) keys.push(key)
  offer = offerKeyFiles(keys, client.secret.keyId)
  server = new ServerSession(bound, host(bound))
})
afterAll(async () => {
  process.off('unhandledRejection', note)
  await server.dispose()
  await client.dispose()
})

/** Node tells of rejections that nobody handled before it comes to this. */
const told = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function connected(): Promise<ServerLink> {
  const [theirs, ours] = loopback()
  const done = answer(server, theirs)
  const link = await connectServer(ours, { plan: bound.plan.id })
  onTestFinished(async () => {
    await link.dispose()
    await done
  })
  return link
}

describe('a server that never greets', () => {
  it('is waited for until the signal, and then the connection is closed', async () => {
    const [theirs, ours] = loopback()
    const giveUp = new AbortController()
    const link = connectServer(ours, { signal: giveUp.signal })
    giveUp.abort()
    await expect(link).rejects.toThrow(/connectServer: cancelled/)
    const heard: Message[] = []
    for await (const message of theirs.messages) heard.push(message)
    expect(heard.map(({ header }) => header.type)).toEqual(['hello'])
    await told()
    expect(unhandled).toEqual([])
  })

  it('hears nothing of who had given up before, and no connection that fails to close keeps anybody', async () => {
    const [theirs, ours] = loopback()
    await expect(connectServer(ours, { signal: AbortSignal.abort() })).rejects.toThrow(/connectServer: cancelled/)
    const heard: Message[] = []
    for await (const message of theirs.messages) heard.push(message)
    expect(heard).toEqual([])
    for (const close of [() => new Promise<void>(() => {}), () => Promise.reject(new Error('it is stuck'))]) {
      const [, stuck] = loopback()
      const giveUp = new AbortController()
      const connection: Connection = { messages: stuck.messages, send: (m) => stuck.send(m), close }
      const link = connectServer(connection, { signal: giveUp.signal })
      giveUp.abort()
      await expect(link).rejects.toThrow(/connectServer: cancelled/)
    }
    await told()
    expect(unhandled).toEqual([])
  })
})

describe('a link that has ended', () => {
  it('refuses with what ended it, and rejects nothing that nobody handles', async () => {
    const [theirs, ours] = loopback()
    await theirs.close()
    await expect(connectServer(ours)).rejects.toThrow(DisposedError)
    const link = await connected()
    await link.dispose()
    await expect(link.sendKeys(offer)).rejects.toThrow(DisposedError)
    await expect(link.run(new Uint8Array(9))).rejects.toThrow(DisposedError)
    await told()
    expect(unhandled).toEqual([])
  })

  it('tells what the transport failed with, and everything at work on it ends', async () => {
    const [theirs, ours] = loopback()
    const done = answer(server, theirs)
    let broken = false
    const failing: Connection = {
      messages: ours.messages,
      close: () => ours.close(),
      send: async (message) => {
        if (broken) throw new DisposedError('the cable is cut')
        await ours.send(message)
      },
    }
    const link = await connectServer(failing)
    broken = true
    await expect(link.sendKeys(offer)).rejects.toThrow('the cable is cut')
    await expect(link.run(new Uint8Array(9))).rejects.toThrow('the cable is cut')
    await done
    await told()
    expect(unhandled).toEqual([])
  })
})

describe('keys that could not be sent', () => {
  it('because an entry cannot be listed: the link takes the good set afterwards', async () => {
    const link = await connected()
    const bad = { ...offer, entries: offer.entries.map((entry) => ({ ...entry, file: '../x' })) }
    await expect(link.sendKeys(bad)).rejects.toThrow(FormatError)
    await link.sendKeys(offer)
    expect(await link.run(await client.encrypt([image(1)]))).toBeInstanceOf(Uint8Array)
  })

  it('because reading one failed, at any of them: likewise', async () => {
    const link = await connected()
    const { length } = offer.entries
    for (const place of [0, 1, length - 1]) {
      let reads = 0
      const failing: KeyOffer = {
        ...offer,
        read: (entry) => {
          if (reads++ === place) throw new MemoryError('hiccup')
          return offer.read(entry)
        },
      }
      await expect(link.sendKeys(failing)).rejects.toThrow('hiccup')
    }
    await expect(link.sendKeys({ ...offer, read: async () => new Uint8Array(3) })).rejects.toThrow(/was listed with/)
    await link.sendKeys(offer)
    expect(await link.run(await client.encrypt([image(1)]))).toBeInstanceOf(Uint8Array)
  })

  it('because the callback threw, even after the last: likewise', async () => {
    const link = await connected()
    for (const place of [1, offer.entries.length])
      await expect(
        link.sendKeys(offer, (sent) => {
          if (sent === place) throw new MemoryError('callback')
        }),
      ).rejects.toThrow('callback')
    await link.sendKeys(offer)
    expect(await link.run(await client.encrypt([image(1)]))).toBeInstanceOf(Uint8Array)
  })

  it('because others are being sent: these arrive', async () => {
    const link = await connected()
    const first = link.sendKeys(offer)
    await expect(link.sendKeys(offer)).rejects.toThrow(InvalidArgumentError)
    await first
  })

  it('a callback that throws ends its run alone', async () => {
    const link = await connected()
    await link.sendKeys(offer)
    const file = await client.encrypt([image(1)])
    const onProgress = (): void => {
      throw new MemoryError('callback')
    }
    await expect(link.run(file, { onProgress })).rejects.toThrow('callback')
    expect(await link.run(file)).toBeInstanceOf(Uint8Array)
  })
})

describe('a server that says what makes no sense', () => {
  const keyId = '00'.repeat(16)
  const welcome = (header: Partial<HeaderOf<'welcome'>> = {}, payload?: Uint8Array): Message => ({
    header: {
      ...{ type: 'welcome', protocol: 1, engine: 'native', parameters: bound.parameters.id, plan: bound.plan.id },
      ...header,
    } as HeaderOf<'welcome'>,
    payload: payload ?? new TextEncoder().encode(JSON.stringify(bound.plan)),
  })
  /** A server that answers the first message of a kind with what is given. */
  function scripted(replies: Partial<Record<Message['header']['type'], readonly Message[]>>): Connection {
    const [theirs, ours] = loopback()
    void (async () => {
      for await (const { header } of theirs.messages)
        for (const reply of replies[header.type] ?? []) await theirs.send(reply)
    })().catch(() => {})
    return ours
  }

  it('a plan that is no text, or another than the welcome names', async () => {
    const garbage = scripted({ hello: [welcome({}, Uint8Array.of(0xff, 0xfe))] })
    const refusal = await connectServer(garbage).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(HeMlError)
    expect(refusal).toBeInstanceOf(FormatError)
    const lying = scripted({ hello: [welcome({ plan: '00'.repeat(32) })] })
    await expect(connectServer(lying, { plan: bound.plan.id })).rejects.toThrow(
      `it names ${'00'.repeat(32)}, but the plan that it carries is ${bound.plan.id}`,
    )
    const other = connectServer(scripted({ hello: [welcome()] }), { plan: '00'.repeat(32) })
    await expect(other).rejects.toThrow(ParameterMismatchError)
  })

  it('keys of somebody else are ready, or a file is wanted twice', async () => {
    const wanted = (files: string[]): Message => ({ header: { type: 'keysWanted', files } })
    const ready: Message = { header: { type: 'keysReady', keyId } }
    const foreign = await connectServer(scripted({ hello: [welcome()], keySet: [wanted([]), ready] }))
    await expect(foreign.sendKeys(offer)).rejects.toThrow(FormatError)
    await expect(foreign.run(new Uint8Array(9))).rejects.toThrow(FormatError)
    const { file } = offer.entries.find(({ kind }) => kind !== 'publicKey')!
    const twice = await connectServer(scripted({ hello: [welcome()], keySet: [wanted([file, file])] }))
    await expect(twice.sendKeys(offer)).rejects.toThrow(/not offered, or not twice/)
    await twice.dispose()
    await told()
    expect(unhandled).toEqual([])
  })
})
