/** Many runs at once under a ceiling: those that wait take no memory of the engine. */
import { createNativeClient } from '@he-ml/ckks-native/client'
import { expect, it } from 'vitest'
import { ClientSession } from './client/client-session.ts'
import { ServerSession } from './server/server-session.ts'
import { bind, host, image } from './session.test-helper.ts'

it('the least ceiling holds for thirty runs at once as for one', async () => {
  const bound = await bind()
  await using client = await ClientSession.create(bound.plan, createNativeClient(bound.parameters))
  const files: Uint8Array[] = []
  for await (const { bytes } of client.evaluationKeys()) files.push(bytes)
  const keys = { kind: 'memory' as const, files }
  await using least = new ServerSession(bound, host(bound), { memory: 1 })
  const refusal = await least.openKeys(keys).catch((error: unknown) => error)
  const memory = Number(/takes (\d+) bytes at least/.exec(String(refusal))?.[1])
  await using server = new ServerSession(bound, host(bound), { memory })
  await server.openKeys(keys)
  const file = await client.encrypt([image(1)])
  const results = await Promise.all(Array.from({ length: 30 }, () => server.run(file)))
  expect(server.engine.memory().peak).toBeLessThanOrEqual(memory)
  // of the network, not of the time in line
  expect(results.every(({ seconds }) => seconds > 0)).toBe(true)
})
