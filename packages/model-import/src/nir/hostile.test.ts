import { FormatError, UnsupportedError } from '@he-ml/ckks-core'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { encodeNir } from '../index.ts'
import { chain, everyType, lif } from '../testing/nir-graphs.ts'
import { Hdf5Worker } from './hdf5/hdf5-worker.ts'
import type { HdfGroup } from './hdf5/tree.ts'
import { graphOf } from './nir.ts'

const isTyped = (error: unknown) => error instanceof FormatError || error instanceof UnsupportedError

describe('hostile NIR files', () => {
  // damaged files may make the library loop: they get two seconds, or a typed error; sound ones have all the time they need
  const impatient = new Hdf5Worker(2000)
  const worker = new Hdf5Worker(600_000)
  afterAll(async () => {
    await impatient.close()
    await worker.close()
  })

  it('end in typed errors or sound graphs, whatever bytes are changed (800 cases)', async () => {
    const file = await encodeNir(
      chain({ in: { type: 'Input', shape: [2] }, lif: lif([2]), out: { type: 'Output', shape: [2] } }),
    )
    let [whole, refused] = [0, 0]
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 127, 255), fc.nat(255))), { maxLength: 4 }),
        fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 5 }),
        fc.boolean(),
        async (flips, cut, isEarly) => {
          const bytes = file.slice(0, cut === null ? file.length : Math.floor(cut * file.length))
          for (const [at, value] of flips)
            if (bytes.length > 0) bytes[at % (isEarly ? Math.min(2048, bytes.length) : bytes.length)] = value
          try {
            graphOf(await impatient.read(bytes, 10_000))
            whole++
          } catch (error) {
            if (!isTyped(error)) throw error
            refused++
          }
        },
      ),
      { numRuns: 800, endOnFailure: true },
    )
    expect(whole).toBeGreaterThan(10)
    expect(refused).toBeGreaterThan(100)
    // the process and the next file are none the worse
    expect(Object.keys(graphOf(await worker.read(file, 10_000)).nodes)).toEqual(['in', 'lif', 'out'])
  })

  it('end in typed errors or sound graphs, whatever well-formed HDF5 says (3,000 cases)', async () => {
    const tree = await worker.read(await encodeNir(everyType), 100_000)
    expect(graphOf(tree)).toEqual(everyType)
    const paths = pathsOf(tree)
    const value = fc.constantFrom<unknown>(
      undefined,
      { shape: [], kind: 'int', data: [-1] },
      { shape: [2], kind: 'int', data: [0, 2 ** 40] },
      { shape: [2, 2], kind: 'float', data: [1, Number.NaN, Number.POSITIVE_INFINITY, 1e308] },
      { shape: [0], kind: 'float', data: [] },
      { shape: [], kind: 'text', data: ['__proto__'] },
      { shape: [], kind: 'text', data: ['LIF'] },
      { shape: [1, 2], kind: 'text', data: ['input', 'input'] },
      {},
    )
    let refused = 0
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(paths.length - 1), value), { minLength: 1, maxLength: 2 }), (changes) => {
        const copy = structuredClone(tree) as Record<string, unknown>
        for (const [index, replacement] of changes) replace(copy, paths[index]!, replacement)
        try {
          graphOf(copy as HdfGroup)
        } catch (error) {
          if (!isTyped(error)) throw error
          refused++
        }
      }),
      { numRuns: 3000 },
    )
    expect(refused).toBeGreaterThan(1000)
    expect(({} as { data?: unknown }).data).toBeUndefined()
  })
})

/** All places in a tree, groups and arrays. */
function pathsOf(tree: HdfGroup, prefix: readonly string[] = []): string[][] {
  return Object.entries(tree).flatMap(([name, entry]) => {
    const path = [...prefix, name]
    return Array.isArray((entry as { data?: unknown }).data) ? [path] : [path, ...pathsOf(entry as HdfGroup, path)]
  })
}

function replace(tree: Record<string, unknown>, path: readonly string[], replacement: unknown): void {
  let at: Record<string, unknown> | undefined = tree
  for (const name of path.slice(0, -1)) at = at?.[name] as Record<string, unknown> | undefined
  if (!at || typeof at !== 'object') return
  if (replacement === undefined) delete at[path.at(-1)!]
  else at[path.at(-1)!] = replacement
}
