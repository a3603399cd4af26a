/** The same sessions on the seal engine, whose files name neither plan nor key. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FormatError, type KeyRequest, listKeyNeeds, MemoryError } from '@he-ml/ckks-core'
import { offerKeyFolder, writeKeyFolder } from '@he-ml/ckks-core/client/node'
import { createSealEngine, sealParameters } from '@he-ml/ckks-seal'
import { createSealClient } from '@he-ml/ckks-seal/client'
import { sealHost } from '@he-ml/ckks-seal/node'
import { type BoundPlan, compileAndBind, fit } from '@he-ml/pipeline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClientSession } from './client/client-session.ts'
import { connectServer } from './client/server-link.ts'
import { loopback } from './connection.ts'
import { answer } from './server/answer.ts'
import { ServerSession } from './server/server-session.ts'
import { image, model } from './session.test-helper.ts'

let bound: BoundPlan
let client: ClientSession
let folder = ''
beforeAll(async () => {
  const seen = Array.from({ length: 20 }, (_, seed) => image(seed))
  const calibration = await fit(model(), seen)
  const options = { packing: 'multiplexed', scaleBits: 36, bootstrapping: 'never', request: sealParameters } as const
  bound = await compileAndBind(model(), { ...options, calibration })
  client = await ClientSession.create(bound.plan, await createSealClient(bound.parameters))
  folder = await mkdtemp(join(tmpdir(), 'he-ml-session-'))
  const { engine, secret, plan } = client
  await writeKeyFolder(engine, secret, plan.keyRequest as KeyRequest, folder, { plan: plan.id })
})
afterAll(async () => {
  await rm(folder, { recursive: true })
  await client.dispose()
})

const open = async (options: { readonly keyBudget?: number } = {}): Promise<ServerSession> =>
  new ServerSession(bound, sealHost(await createSealEngine(bound.parameters)), options)

async function expectRight(file: Uint8Array, seed: number): Promise<void> {
  const [got] = await client.decrypt(file, 1)
  // SEAL's errors depend on the key: some 2^4 to 2^6 times the plan's were seen
  const most = 2 ** (11 - bound.plan.report.precisionBits)
  for (const [i, v] of model().forward(image(seed)).data.entries())
    expect(Math.abs(got!.data[i]! - v)).toBeLessThan(most)
}

describe('a seal session', () => {
  it('opens a key folder, loads keys by need within a budget, and answers what the network says', async () => {
    await using all = await open()
    await all.openKeys({ kind: 'folder', path: folder })
    expect(all.keyId).toBe(client.secret.keyId)
    expect(all.keys!.residentBytes).toBe(0)
    const one = all.keys!.bytes(listKeyNeeds(bound.plan.keyRequest as KeyRequest)[0]!)
    const keyBudget = one * Math.max(...bound.program.tasks.map(({ keys }) => keys.length))
    await using server = await open({ keyBudget })
    await server.openKeys({ kind: 'folder', path: folder })
    const { file } = await server.run(await client.encrypt([image(3)]))
    expect(server.keys!.residentBytes).toBeLessThanOrEqual(keyBudget)
    expect(server.engine.memory().keys).toBe(server.keys!.residentBytes)
    await expectRight(file, 3)
    for (const bad of [
      { kind: 'memory', files: [new Uint8Array(100)] },
      { kind: 'memory', files: [] },
    ] as const) {
      await expect(server.openKeys(bad)).rejects.toThrow(/Galois keys|SEAL|bytes|needs/)
      expect(server.keyId).toBe(client.secret.keyId)
    }
    await expectRight((await server.run(await client.encrypt([image(5)]))).file, 5)
    await using small = await open({ keyBudget: keyBudget - 1 })
    await expect(small.openKeys({ kind: 'folder', path: folder })).rejects.toThrow(MemoryError)
    await expect(server.run(new Uint8Array(1000), { inputName: 'in.ct' })).rejects.toThrow(/^in\.ct: /)
    await expect(server.run(new Uint8Array(1000))).rejects.toThrow(FormatError)
  })

  it('takes keys and runs over a connection, as the native one does', async () => {
    await using server = await open()
    const [theirs, ours] = loopback()
    const answering = answer(server, theirs)
    await using link = await connectServer(ours, { plan: bound.plan.id })
    expect(link.engine).toBe('seal')
    await link.sendKeys(await offerKeyFolder(folder, bound.parameters, bound.plan.id))
    expect(server.keyId).toBe(client.secret.keyId)
    await expectRight(await link.run(await client.encrypt([image(4)])), 4)
    await link.dispose()
    await answering
  })
})
