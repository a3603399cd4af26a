/** Options that there are not are refused by every call that takes some, before anything is done. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { createNativeHost } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import type { BoundPlan } from '@he-ml/pipeline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectServer, type InferenceClient, openClient } from './client/index.ts'
import { createClientFolder, openClientFolder, writeServerFolder } from './client/node/index.ts'
import { diffRun } from './diff/index.ts'
import { answer, loopback, openServer, ServerSession } from './index.ts'
import { bind, host, image } from './session.test-helper.ts'

describe('options', () => {
  let bound: BoundPlan
  let client: InferenceClient
  let here: string
  beforeAll(async () => {
    bound = await bind()
    client = await openClient(bound.plan, createNativeClient)
    here = await mkdtemp(join(tmpdir(), 'options-'))
  })
  afterAll(async () => {
    await client.dispose()
    await rm(here, { recursive: true })
  })
  const session = async (work: (session: ServerSession) => Promise<unknown>): Promise<unknown> => {
    await using server = new ServerSession(bound, host(bound))
    return await work(server)
  }
  const opened = async (options: object): Promise<void> => {
    await (await openServer(bound, createNativeHost, await client.evaluationKeys(), options)).dispose()
  }

  it.each<[string, RegExp, () => Promise<unknown>]>([
    ['openServer', /no option memroy: did you mean memory\?/, () => opened({ memroy: 1e9 })],
    ['openServer', /memory must be a number of at least 0, got "1e9"/, () => opened({ memory: '1e9' })],
    ['openServer', /options must be an object, got null/, () => opened(null as never)],
    [
      'ServerSession.run',
      /no option onprogress: did you mean onProgress\?/,
      () => session((s) => s.run(new Uint8Array(1), { onprogress: () => {} } as never)),
    ],
    [
      'ServerSession.run',
      /signal must be an AbortSignal/,
      () => session((s) => s.run(new Uint8Array(1), { signal: true } as never)),
    ],
    [
      'answer',
      /no option maxRun: did you mean maxRuns\?/,
      () => session((s) => answer(s, loopback()[0], { maxRun: 1 } as never)),
    ],
    [
      'answer',
      /maxRuns must be an integer of at least 1, got 0/,
      () => session((s) => answer(s, loopback()[0], { maxRuns: 0 })),
    ],
    ['connectServer', /no option pla: did you mean plan\?/, () => connectServer(loopback()[0], { pla: 'x' } as never)],
    [
      'createClientFolder',
      /no option onWarn: did you mean onWarning\?/,
      () => createClientFolder(join(here, 'c'), bound.plan, createNativeClient, { onWarn: () => {} } as never),
    ],
    [
      'openClientFolder',
      /onWarning must be a function, got true/,
      () => openClientFolder(join(here, 'c'), createNativeClient, { onWarning: true } as never),
    ],
    [
      'writeServerFolder',
      /no option models: did you mean model\?/,
      () => writeServerFolder(client, join(here, 's'), { models: {} } as never),
    ],
    [
      'writeServerFolder',
      /model must be an object with the bytes of files/,
      () => writeServerFolder(client, join(here, 's'), { model: { 'net.onnx': 'text' } } as never),
    ],
    [
      'diffRun',
      /no option onDiference: did you mean onDifference\?/,
      () =>
        session((server) =>
          diffRun(bound, [image(1)], { client: client.session, server, onDiference: () => {} } as never),
        ),
    ],
  ])('of %s are refused: %s', async (_, says, call) => {
    const called = call()
    await expect(called).rejects.toThrow(InvalidArgumentError)
    await expect(called).rejects.toThrow(says)
    expect(await readdir(here)).toEqual([])
  })
})
