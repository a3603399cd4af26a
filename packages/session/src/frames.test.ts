/** Inputs with a frame for each time step, from the client to the answer. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { createTensor, Model, type Tensor } from '@he-ml/model'
import { compileAndBind, fit } from '@he-ml/pipeline'
import { expect, it } from 'vitest'
import { ClientSession } from './client/client-session.ts'
import { ServerSession } from './server/server-session.ts'
import { host, image, model as still, values } from './session.test-helper.ts'

const frames = (seed: number): Tensor => createTensor([3, 1, 4, 4], values(48, seed))

/** The mean over three frames of what the network makes of each. */
const model = new Model({ ...still(), input: { ...still().input, time: 'perStep' }, steps: 3, readout: 'mean' })

it('frames go as one file, are answered together, and nothing else is taken for them', async () => {
  const calibration = await fit(
    model,
    Array.from({ length: 20 }, (_, seed) => frames(seed)),
  )
  const bound = await compileAndBind(model, { scaleBits: 40, calibration })
  await using client = await ClientSession.create(bound.plan, createNativeClient(bound.parameters))
  await using server = new ServerSession(bound, host(bound))
  const keys: Uint8Array[] = []
  for await (const { bytes } of client.evaluationKeys()) keys.push(bytes)
  await server.openKeys({ kind: 'memory', files: keys })
  const file = await client.encrypt([frames(4)])
  expect(file.length).toBeLessThanOrEqual(server.maxInputBytes)
  const [got] = await client.decrypt((await server.run(file)).file, 1)
  const want = model.forward(frames(4))
  // squares alone: nothing but encryption's error, whose tail is published as 64 times what is planned
  const most = 64 * 2 ** -bound.plan.report.precisionBits
  for (const [i, v] of want.data.entries()) expect(Math.abs(got!.data[i]! - v)).toBeLessThan(most)
  await expect(client.encrypt([image(4)])).rejects.toThrow(InvalidArgumentError)
  await expect(client.encrypt([image(4)])).rejects.toThrow(
    /'perStep', a frame of \[1,4,4\] for each of 3 .* 'static' input/,
  )
})
