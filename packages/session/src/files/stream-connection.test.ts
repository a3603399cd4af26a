import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { DisposedError, FormatError, InvalidArgumentError, MissingKeyError } from '@he-ml/ckks-core'
import { offerKeyFiles } from '@he-ml/ckks-core/client'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ClientSession, connectServer } from '../client/index.ts'
import type { Connection } from '../connection.ts'
import { answer, ServerSession } from '../index.ts'
import { bind, host, image, model } from '../session.test-helper.ts'
import { streamConnection } from './stream-connection.ts'

async function all({ messages }: Connection): Promise<void> {
  for await (const _ of messages) expect.unreachable()
}

describe('a connection over a socket', () => {
  let folder: string
  let server: Server
  let path: string
  const sockets: Socket[] = []

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'socket-'))
    path = join(folder, 's.sock')
    server = createServer((socket) => void sockets.push(socket)).listen(path)
    await once(server, 'listening')
  })
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    server.close()
    await rm(folder, { recursive: true, force: true })
  })

  async function pair(): Promise<[Connection, Connection]> {
    const arrived = once(server, 'connection')
    const ours = streamConnection(connect(path))
    const [socket] = (await arrived) as [Socket]
    return [streamConnection(socket), ours]
  }

  it('carries a whole session', async () => {
    const bound = await bind()
    await using session = new ServerSession(bound, host(bound))
    const [theirs, ours] = await pair()
    const answering = answer(session, theirs)
    await using client = await ClientSession.create(bound.plan, createNativeClient(bound.parameters))
    const link = await connectServer(ours, { plan: bound.plan.id })
    const keys = []
    for await (const key of client.evaluationKeys()) keys.push(key)
    await link.sendKeys(offerKeyFiles(keys, client.secret.keyId))
    const files = await Promise.all([client.encrypt([image(1)]), client.encrypt([image(2)])])
    const results = await Promise.all(files.map((file) => link.run(file)))
    for (const [i, file] of results.entries()) {
      const [tensor] = await client.decrypt(file, 1)
      const wanted = model().forward(image(i + 1)).data
      expect(tensor!.data.every((x, k) => Math.abs(x - wanted[k]!) < 2 ** -10)).toBe(true)
    }
    await link.dispose()
    await answering
    await expect(theirs.send({ header: { type: 'hello', protocol: 1 } })).rejects.toThrow(DisposedError)
  })
  it('messages that are sent at a time do not mix', async () => {
    const [theirs, ours] = await pair()
    const sent = Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        ours.send({
          header: { type: 'inputChunk', run: '00'.repeat(8), offset: i },
          payload: new Uint8Array(70_000).fill(i),
        }),
      ),
    )
    let count = 0
    for await (const { header, payload } of theirs.messages) {
      const { offset } = header as { offset: number }
      expect(payload!.every((x) => x === offset)).toBe(true)
      if (++count === 20) break
    }
    await sent
    await ours.close()
    await ours.close()
  })
  it('ends with what the other side broke off, or with nothing where it closed', async () => {
    const [theirs, ours] = await pair()
    await ours.close()
    for await (const _ of theirs.messages) expect.unreachable()
    const arrived = once(server, 'connection')
    const raw = connect(path)
    const [socket] = (await arrived) as [Socket]
    const connection = streamConnection(socket)
    raw.end('HEM1')
    const read = all(connection)
    await expect(read).rejects.toThrow(DisposedError)
    await expect(read).rejects.toThrow(/the connection broke off: .*within a message, after 4 bytes/)
    await connection.close()
  })
  it('ends with DisposedError for whoever reads and whoever sends when the stream breaks', async () => {
    const [, ours] = await pair()
    // more than the system's buffers hold: it is under way when the other side goes
    const sending = Promise.all(
      Array.from({ length: 32 }, () =>
        ours.send({
          header: { type: 'inputChunk', run: '00'.repeat(8), offset: 0 },
          payload: new Uint8Array(2 ** 19),
        }),
      ),
    )
    sockets.at(-1)!.destroy()
    await expect(sending).rejects.toThrow(DisposedError)
    const stream = new Duplex({ read() {}, write() {} })
    const broken = streamConnection(stream)
    const [reading, writing] = [all(broken), broken.send({ header: { type: 'hello', protocol: 1 } })]
    stream.destroy(new Error('read ECONNRESET'))
    for (const failing of [reading, writing]) {
      await expect(failing).rejects.toThrow(DisposedError)
      await expect(failing).rejects.toThrow(/the connection broke off: read ECONNRESET/)
    }
  })
  it('carries the last word of a server that stops reading', async () => {
    const bound = await bind()
    await using session = new ServerSession(bound, host(bound))
    const [theirs, ours] = await pair()
    const told: unknown[] = []
    const answering = answer(session, theirs, { acceptKeys: false, onError: (error) => told.push(error) })
    await using client = await ClientSession.create(bound.plan, createNativeClient(bound.parameters))
    const link = await connectServer(ours)
    const keys = []
    for await (const key of client.evaluationKeys()) keys.push(key)
    const sending = link.sendKeys(offerKeyFiles(keys, client.secret.keyId))
    await expect(sending).rejects.toThrow(InvalidArgumentError)
    await expect(sending).rejects.toThrow(/takes no others/)
    await answering
    expect(told).toEqual([expect.any(InvalidArgumentError)])
    await link.dispose()
  })
  it('carries the reason of a run that fails, and goes on', async () => {
    const bound = await bind()
    await using session = new ServerSession(bound, host(bound))
    const [theirs, ours] = await pair()
    const answering = answer(session, theirs)
    await using client = await ClientSession.create(bound.plan, createNativeClient(bound.parameters))
    const link = await connectServer(ours)
    const file = await client.encrypt([image(1)])
    await expect(link.run(file)).rejects.toThrow(MissingKeyError)
    const keys = []
    for await (const key of client.evaluationKeys()) keys.push(key)
    await link.sendKeys(offerKeyFiles(keys, client.secret.keyId))
    await expect(link.run(file.subarray(0, file.length / 2))).rejects.toThrow(FormatError)
    expect(await link.run(file)).toBeInstanceOf(Uint8Array)
    await link.dispose()
    await answering
  })
})
