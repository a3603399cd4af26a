/** A run that is watched from inside, on the native engine. */
import { CancelledError, ParameterMismatchError } from '@he-ml/ckks-core'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { createTensor, Model } from '@he-ml/model'
import { activation, flatten, linear } from '@he-ml/nn-layers'
import { type BoundPlan, compileAndBind, fit } from '@he-ml/pipeline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClientSession } from '../client/client-session.ts'
import { ServerSession } from '../server/server-session.ts'
import { bind, host, image, model, values } from '../session.test-helper.ts'
import { type DecryptedValue, diffRun, type ValueDifference } from './diff-run.ts'

async function sessions(bound: BoundPlan) {
  const client = await ClientSession.create(bound.plan, createNativeClient(bound.parameters))
  const server = new ServerSession(bound, host(bound))
  const files: Uint8Array[] = []
  for await (const { bytes } of client.evaluationKeys()) files.push(bytes)
  await server.openKeys({ kind: 'memory', files, keyId: client.secret.keyId })
  return { client, server }
}

describe('a run, value by value', () => {
  let bound: BoundPlan
  let open: Awaited<ReturnType<typeof sessions>>
  beforeAll(async () => {
    bound = await bind()
    open = await sessions(bound)
  })
  afterAll(async () => {
    await open.server.dispose()
    await open.client.dispose()
  })

  it('tells of every task, in the order of the plan, how far it is off', async () => {
    const seen: ValueDifference[] = []
    const differences = await diffRun(bound, [image(3)], {
      ...open,
      model: model(),
      onDifference: (d) => seen.push(d),
    })
    const { tasks } = bound.program
    expect(differences.map(({ task, kind }) => [task, kind])).toEqual(tasks.map(({ id, kind }) => [id, kind]))
    expect(new Set(seen)).toEqual(new Set(differences))
    for (const d of differences) {
      const planned = bound.plan.report.layers.find(({ name }) => name === d.task)!
      expect(d.plannedBits).toBe(planned.precisionBits)
      expect(d.level).toBe(planned.outputLevel)
      // 64 deviations of what is planned: it does not happen
      expect(d.bits).toBeGreaterThan(d.plannedBits - 6)
      // a square is exact, so both clear twins are one
      expect(d.exactBits!).toBeCloseTo(d.relativeBits!, 3)
      expect(Math.abs(d.worst.encrypted - d.worst.clear)).toBeGreaterThan(0)
    }
    const clear = model().forward(image(3)).data
    const { worst } = differences.at(-1)!
    expect(worst.clear).toBeCloseTo(clear[worst.index[0]!]!, 9)
  })

  it('wants sessions of its plan, and ends with its signal', async () => {
    const other = await compileAndBind(model(), { packing: 'multiplexed', scaleBits: 41 })
    await expect(diffRun(other, [image(3)], open)).rejects.toThrow(ParameterMismatchError)
    const stopped = { ...open, signal: AbortSignal.abort() }
    await expect(diffRun(bound, [image(3)], stopped)).rejects.toThrow(CancelledError)
  })
})

it('shows what an approximation costs, in the units of the model', async () => {
  const approximated = new Model({
    name: 'relu',
    input: { name: 'image', shape: [1, 4, 4] },
    nodes: [
      { layer: flatten({ name: 'flat' }), inputs: ['image'] },
      { layer: linear({ name: 'one', weights: createTensor([8, 16], values(128, 1)) }), inputs: ['flat'] },
      { layer: activation({ name: 'relu', function: 'relu' }), inputs: ['one'] },
      { layer: linear({ name: 'two', weights: createTensor([3, 8], values(24, 2)) }), inputs: ['relu'] },
    ],
  })
  const images = Array.from({ length: 20 }, (_, seed) => image(seed))
  const calibration = await fit(approximated, images)
  const bound = await compileAndBind(approximated, {
    calibration,
    scaleBits: 40,
    activation: { degree: 3, margin: 1.2 },
  })
  const { client, server } = await sessions(bound)
  try {
    const decrypted: DecryptedValue[] = []
    const differences = await diffRun(bound, [image(3)], {
      ...{ client, server, model: approximated },
      onTensors: (value) => decrypted.push(value),
    })
    expect(decrypted.map(({ task, value }) => [task, value])).toEqual(differences.map((d) => [d.task, d.value]))
    const of = (task: string) => differences.find((d) => d.task === task)!
    const exact = new Map<string, Float64Array>()
    approximated.forward(image(3), ({ name }, [x]) => void exact.set(name, x!.data))
    // values before the activation are held divided by its range; they are shown as the model has them
    const before = of('one')
    expect(before.exactBits!).toBeGreaterThan(12)
    expect(before.worst.clear).toBeCloseTo(exact.get('relu')![before.worst.index[0]!]!, 9)
    for (const [i, { encrypted, clear }] of decrypted.entries()) {
      const { worst } = differences[i]!
      const [element] = worst.index as [number]
      expect([encrypted[0]!.data[element], clear[0]!.data[element]]).toEqual([worst.encrypted, worst.clear])
      expect(encrypted[0]!.data).toHaveLength(clear[0]!.data.length)
      expect(
        encrypted[0]!.data.every((x, k) => Math.abs(x - clear[0]!.data[k]!) <= Math.abs(worst.encrypted - worst.clear)),
      ).toBe(true)
    }
    // a cubic is a coarse ReLU
    for (const task of ['relu', 'two']) {
      expect(of(task).exactBits!).toBeLessThan(7)
      expect(of(task).relativeBits).toBeGreaterThan(12)
    }
  } finally {
    await server.dispose()
    await client.dispose()
  }
})
