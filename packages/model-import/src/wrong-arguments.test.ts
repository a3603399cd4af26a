import { InvalidArgumentError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { encodeNir, importNir, importOnnx, inferShapes, orderNodes, parseOnnx, spikingModelOfNir } from './index.ts'

const WRONG = [undefined, null, 7, '', [], {}, Promise.resolve(new Uint8Array())] as never[]
const graph = { version: '1.0', nodes: {}, edges: [] }

describe('an argument of the wrong kind', () => {
  it.each<[string, (wrong: never) => unknown, RegExp]>([
    ['importOnnx', (x) => importOnnx(x), /the path of a file, or its bytes/],
    ['importNir', (x) => importNir(x), /the path of a file, or its bytes/],
    ['parseOnnx', (x) => parseOnnx(x), /^parseOnnx: bytes must be bytes \(a Uint8Array\), got/],
    ['encodeNir', (x) => encodeNir(x), /^encodeNir: graph must be a graph with nodes and edges/],
    ['orderNodes', (x) => orderNodes(x), /a graph with nodes and edges/],
    ['inferShapes', (x) => inferShapes(x), /a graph with nodes and edges/],
    ['spikingModelOfNir', (x) => spikingModelOfNir(x, { timeSteps: 2, dt: 1 }), /a graph with nodes and edges/],
    [
      'its options',
      (x) => spikingModelOfNir(graph, (typeof x === 'object' && x !== null ? null : x) as never),
      /options must be an object/,
    ],
  ])('is a typed error: %s', async (_, door, says) => {
    for (const wrong of WRONG) {
      const error = (await (async () => door(wrong))().catch((e: Error) => e)) as Error
      expect(error, String(error)).toBeInstanceOf(InvalidArgumentError)
      expect(error.message).toMatch(says)
    }
  })
})
