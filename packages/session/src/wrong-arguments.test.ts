/** Arguments of the wrong kind are typed errors at the door, of all packages that a program of a client and a server calls. */
import { HeMlError, InvalidArgumentError } from '@he-ml/ckks-core'
import { createNativeEngine, createNativeHost } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import {
  applyFactors,
  createTensor,
  equalizationOf,
  equalized,
  foldFactors,
  Model,
  type Tensor,
  unroll,
} from '@he-ml/model'
import { activation, linear } from '@he-ml/nn-layers'
import {
  type BoundPlan,
  bindPlan,
  type Calibration,
  compile,
  compileAndBind,
  compileCheapest,
  contractOf,
  fit,
  inputLayoutFor,
  inputLayoutOf,
  modelDigest,
  outputLayoutOf,
  packInputs,
  parametersOf,
  Runner,
  serializeCalibration,
  simulate,
} from '@he-ml/pipeline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClientSession, connectServer, type InferenceClient, openClient } from './client/index.ts'
import { createClientFolder, openClientFolder, writeServerFolder } from './client/node/index.ts'
import { answer, type InferenceServer, loopback, openServer, ServerSession } from './index.ts'
import { openServerFolder, streamConnection } from './server/node/index.ts'

const layer = linear({ name: 'sum', weights: createTensor([2, 4], Float64Array.of(1, 2, 3, 4, -1, 0, 1, 0)) })
const model = new Model({ name: 'toy', input: { name: 'x', shape: [4] }, nodes: [{ layer, inputs: ['x'] }] })
const input = createTensor([4], Float64Array.of(1, 2, 3, 4))

let bound: BoundPlan
let client: InferenceClient
let server: InferenceServer
let calibration: Calibration
beforeAll(async () => {
  bound = await compileAndBind(model, { packing: 'multiplexed', scaleBits: 30 })
  client = await openClient(bound.plan, createNativeClient)
  server = await openServer(bound, createNativeHost, await client.evaluationKeys())
  calibration = await fit(model, [input])
})
afterAll(async () => {
  await client.dispose()
  await server.dispose()
})

/** What newcomers give by mistake: nothing, what was never awaited, plain arrays, and other things of ours. */
const WRONG: readonly unknown[] = [
  undefined,
  null,
  7,
  [],
  [[1, 2]],
  {},
  { name: 'a' },
  Promise.resolve(1),
  layer,
  input,
]

/** Each takes one argument at a time from the list, the others being right. */
// biome-ignore lint/suspicious/noExplicitAny: wrong on purpose
type Door = (wrong: any) => unknown
const DOORS: Readonly<Record<string, Door>> = {
  'createTensor shape': (x) => createTensor(x === undefined || Array.isArray(x) ? null : x),
  'createTensor data': (x) => createTensor([1, 2], x === undefined ? [1, 2] : x),
  'Model layer': (x) =>
    new Model({ name: 'm', input: model.input, nodes: [{ layer: x === layer ? {} : x, inputs: ['x'] }] } as never),
  'Model inputs': (x) => new Model({ name: 'm', input: model.input, nodes: [{ layer, inputs: x }] }),
  'Model.forward': (x) => model.forward(x === input ? undefined : x),
  unroll: (x) => unroll(x),
  equalizationOf: (x) => equalizationOf(x, () => undefined),
  equalized: (x) => equalized(x, {}),
  foldFactors: (x) => foldFactors(x),
  applyFactors: (x) => applyFactors(x, { factors: new Map(), relieved: new Set(), sumsOverTime: false }),
  'activation function': (x) => activation({ name: 'act', function: x ?? null }),
  modelDigest: (x) => modelDigest(x),
  'compile model': (x) => compile(x),
  'compile promise': () => compile(Promise.resolve(model) as never),
  'compile calibration': (x) => compile(model, { calibration: x ?? null }),
  'compileCheapest way': (x) => compileCheapest({ one: x }, { samples: [input] }),
  'fit model': (x) => fit(x, [input]),
  'fit inputs': (x) => fit(model, x === input || Array.isArray(x) ? [[1, 2]] : x),
  'bindPlan plan': (x) => bindPlan(x, model),
  'bindPlan bound': () => bindPlan(bound as never, model),
  'bindPlan model': (x) => bindPlan(bound.plan, x),
  'simulate bound': (x) => simulate(x, model, [input]),
  'simulate plan': () => simulate(bound.plan as never, model, [input]),
  'simulate model': (x) => simulate(bound, x, [input]),
  'simulate inputs': (x) => simulate(bound, model, x === input || Array.isArray(x) ? [[1, 2]] : x),
  contractOf: (x) => contractOf(x),
  inputLayoutFor: (x) => inputLayoutFor(x, 'multiplexed', undefined, 4096),
  inputLayoutOf: (x) => inputLayoutOf(x),
  outputLayoutOf: (x) => outputLayoutOf(x),
  parametersOf: (x) => parametersOf(x),
  'packInputs plan': (x) => packInputs(x, input),
  'packInputs tensors': (x) => packInputs(bound.plan, x === input ? null : x),
  serializeCalibration: (x) => serializeCalibration(x),
  'Runner plan': (x) => new Runner(x, server.session.engine),
  'Runner engine': (x) => new Runner(bound, typeof x === 'object' ? null : x),
  'openServer bound': (x) => openServer(x, createNativeHost, { kind: 'memory', files: [] } as never),
  'openServer plan': () => openServer(bound.plan as never, createNativeHost, { kind: 'memory', files: [] } as never),
  'openServer makeHost': (x) => openServer(bound, x, { kind: 'folder', path: 'keys' }),
  'openServer engine': () => openServer(bound, createNativeEngine as never, { kind: 'folder', path: 'keys' }),
  'openServer keys': (x) => openServer(bound, createNativeHost, x),
  'ServerSession bound': (x) => new ServerSession(x, { engine: server.session.engine } as never),
  'ServerSession host': (x) => new ServerSession(bound, x),
  'ServerSession.openKeys': (x) => server.session.openKeys(x),
  'server.run': (x) => server.run(x),
  'server.run options': () => server.run(new Uint8Array(3), { signl: 1 } as never),
  'server.loadKeys options': () => server.session.loadKeys({ onProgres: 1 } as never),
  'server.prepare options': () => server.session.prepare({ signal: 7 } as never),
  'openClient plan': (x) => openClient(x, createNativeClient),
  'openClient bound': () => openClient(bound as never, createNativeClient),
  'openClient makeEngine': (x) => openClient(bound.plan, x),
  'openClient engine': () => openClient(bound.plan, createNativeEngine as never),
  ClientSession: (x) => new ClientSession(x),
  'ClientSession plan': (x) =>
    new ClientSession({ plan: x ?? null, engine: client.session.engine, key: client.session.secret }),
  'client.evaluationKeys options': () => client.evaluationKeys({ onProgres: () => {} } as never),
  'client.evaluationKeys': (x) =>
    client.evaluationKeys(x === undefined || Object.keys(x ?? []).length === 0 ? null : x),
  'client.encrypt': (x) => client.encrypt(x === input ? null : x),
  'client.decrypt': (x) => client.decrypt(x),
  'session.decryptSlots': (x) => client.session.decryptSlots(x),
  'session.publish': (x) => client.session.publish(x, { images: 1 } as never),
  connectServer: (x) => connectServer(x),
  'answer session': (x) => answer(x, loopback()[0]),
  'answer server': () => answer(server as never, loopback()[0]),
  'answer connection': (x) => answer(server.session, x),
  'createClientFolder folder': (x) => createClientFolder(x, bound.plan, createNativeClient),
  'createClientFolder plan': (x) => createClientFolder('/nonexistent/client', x, createNativeClient),
  'openClientFolder folder': (x) => openClientFolder(x, createNativeClient),
  'writeServerFolder client': (x) => writeServerFolder(x, '/nonexistent/server'),
  'writeServerFolder folder': (x) => writeServerFolder(client, x),
  'openServerFolder folder': (x) => openServerFolder(x, { model, makeHost: createNativeHost }),
  'openServerFolder options': (x) => openServerFolder('/nonexistent/server', x),
  'openServerFolder model': (x) => openServerFolder('/nonexistent/server', { model: x, makeHost: createNativeHost }),
  'openServerFolder makeHost': (x) => openServerFolder('/nonexistent/server', { model, makeHost: x }),
  streamConnection: (x) => streamConnection(x),
}

/** What was thrown, at once, later, or by the first step of a sequence. */
async function thrownBy(call: () => unknown): Promise<unknown> {
  try {
    const given = await call()
    if (typeof given === 'object' && given !== null && Symbol.asyncIterator in given)
      for await (const _ of given as AsyncIterable<unknown>) break
    return undefined
  } catch (error) {
    return error
  }
}

describe('an argument of the wrong kind', () => {
  it.each(Object.entries(DOORS))('is a typed error: %s', async (_, door) => {
    for (const wrong of WRONG) {
      const error = await thrownBy(() => door(wrong))
      expect(error, String(error)).toBeInstanceOf(HeMlError)
      expect((error as Error).message).not.toMatch(/undefined \(reading|is not a function|not iterable/)
    }
  })
  it.each<[string, () => unknown, RegExp]>([
    [
      'a plan for a bound one',
      () => openServer(bound.plan as never, createNativeHost, {} as never),
      /^openServer: bound must be a bound plan: bind the one that was given to its model with bindPlan/,
    ],
    [
      'a bound plan for a plan',
      () => openClient(bound as never, createNativeClient),
      /^openClient: plan must be a plan: take the field plan of the bound one/,
    ],
    [
      'a promise',
      () => compile(Promise.resolve(model) as never),
      /^compile: model must be a Model, .* got a promise: await it first/,
    ],
    [
      'an engine for a host',
      () => openServer(bound, createNativeEngine as never, { kind: 'folder', path: 'k' }),
      /what makeHost gives must be an engine with its key stores/,
    ],
    [
      'an engine for a client',
      () => openClient(bound.plan, createNativeEngine as never),
      /what makeEngine gives must be a client's engine: give createNativeClient/,
    ],
    [
      'plain arrays for tensors',
      () => fit(model, [[1, 2]] as never),
      /takes a tensor of \[4\], got what has no shape: make one with createTensor/,
    ],
    ['plain numbers for data', () => createTensor([2], [1, 2] as never), /^createTensor: data must be a Float64Array/],
    [
      'an unknown option',
      () => client.evaluationKeys({ onProgres: 1 } as never),
      /there is no option onProgres: did you mean onProgress\?/,
    ],
    [
      'an object for a function',
      () => activation({ name: 'a', function: {} as never }),
      /its function must be the name of one \(relu, .*customActivation gives, got \{\}/,
    ],
  ])('is named with what to do: %s', async (_, call, says) => {
    const error = await thrownBy(call)
    expect(error, String(error)).toBeInstanceOf(InvalidArgumentError)
    expect((error as Error).message).toMatch(says)
  })
  it('does not stand in the way of right ones, of other copies of a package too', async () => {
    // nothing is asked of classes
    const copy = Object.assign(Object.create(null), model, { forward: model.forward }) as Model
    expect(modelDigest(copy)).toBe(modelDigest(model))
    expect(serializeCalibration(calibration)).toContain(modelDigest(model))
    const [answerOf] = [
      await client.decrypt(await server.run(Buffer.from(await client.encrypt(input)) as Uint8Array)),
    ] as [Tensor]
    expect(Math.abs(answerOf.data[0]! - 30)).toBeLessThan(0.1)
  })
})
