/** A convolution of many channels on SEAL: the native engine would have it on pairs of inputs, which SEAL's slots cannot hold. */
import type { KeyRequest } from '@he-ml/ckks-core'
import { createSealEngine, sealParameters } from '@he-ml/ckks-seal'
import { createSealClient } from '@he-ml/ckks-seal/client'
import { sealHost } from '@he-ml/ckks-seal/node'
import { createTensor, Model } from '@he-ml/model'
import { conv2d } from '@he-ml/nn-layers'
import { compile, compileAndBind } from '@he-ml/pipeline'
import { expect, it } from 'vitest'
import { ClientSession } from './client/client-session.ts'
import { ServerSession } from './server/server-session.ts'
import { values } from './session.test-helper.ts'

it('runs on SEAL, with real slots', async () => {
  const weights = createTensor(
    [8, 8, 3, 3],
    values(576, 1).map((v) => v / 10),
  )
  const model = new Model({
    name: 'convolution',
    input: { name: 'image', shape: [8, 16, 16] },
    nodes: [{ layer: conv2d({ name: 'conv', weights, padding: 1 }), inputs: ['image'] }],
  })
  const options = { packing: 'multiplexed', scaleBits: 36, logN: 13, bootstrapping: 'never' } as const
  expect((await compile(model, options)).keyRequest.conjugation).toBeDefined()
  const bound = await compileAndBind(model, { ...options, request: sealParameters })
  expect(bound.plan.keyRequest.conjugation).toBeUndefined()

  const client = await ClientSession.create(bound.plan, await createSealClient(bound.parameters))
  await using server = new ServerSession(bound, sealHost(await createSealEngine(bound.parameters)))
  const files: Uint8Array[] = []
  for await (const key of client.engine.generateEvaluationKeys(client.secret, bound.plan.keyRequest as KeyRequest))
    files.push(key.bytes)
  await server.openKeys({ kind: 'memory', files })
  const image = createTensor([8, 16, 16], values(2048, 7))
  const { file } = await server.run(await client.encrypt([image]))
  const [got] = await client.decrypt(file, 1)
  // SEAL's errors depend on the key: some 2^4 to 2^6 times the plan's were seen
  const most = 2 ** (11 - bound.plan.report.precisionBits)
  for (const [i, v] of model.forward(image).data.entries()) expect(Math.abs(got!.data[i]! - v)).toBeLessThan(most)
  await client.dispose()
})
