import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'
import { FormatError, InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { encodeNir, importNir, inferShapes, type NirGraph, type NirNode, orderNodes } from '../index.ts'
import { network } from '../testing/hdf5-files.ts'
import { writeHdf5 } from '../testing/hdf5-write.ts'
import { array, chain, everyType, lif } from '../testing/nir-graphs.ts'
import { Hdf5Worker } from './hdf5/hdf5-worker.ts'
import type { HdfGroup } from './hdf5/tree.ts'
import { graphOf } from './nir.ts'

const ends = { in: { type: 'Input', shape: [2] }, out: { type: 'Output', shape: [2] } } as const

describe('NIR', () => {
  it('returns what was written, every node type, names and metadata', async () => {
    const file = await encodeNir(everyType)
    expect(await importNir(file)).toEqual(everyType)
    expect(JSON.parse(JSON.stringify(everyType))).toEqual(everyType)
    const shapes = Object.fromEntries(inferShapes(everyType))
    expect(shapes).toMatchObject({
      conv: [4, 10, 8],
      same: [3, 10, 8],
      average: [3, 5, 4],
      sum: [3, 3, 4],
      output: [5],
    })
  })

  it('keeps double precision where asked, and refuses what single cannot hold', async () => {
    const graph = chain({ in: ends.in, lif: lif([2], 0.1), out: ends.out })
    const single = await importNir(await encodeNir(graph))
    expect((single.nodes.lif as Extract<NirNode, { type: 'LIF' }>).tau.data).toEqual([
      Math.fround(0.1),
      Math.fround(0.1),
    ])
    expect(await importNir(await encodeNir(graph, { precision: 'float64' }))).toEqual(graph)
    const wide = chain({ in: ends.in, w: { type: 'Linear', weight: array([2, 2], () => 1e300) }, out: ends.out })
    await expect(encodeNir(wide)).rejects.toThrow(/1e\+300, beyond single precision/)
    await expect(encodeNir(graph, { precision: 'float16' as 'float32' })).rejects.toThrow(InvalidArgumentError)
  })

  it('orders nodes by their edges and adds where edges meet', () => {
    const graph: NirGraph = {
      version: '',
      nodes: { out: ends.out, b: lif([2]), a: lif([2]), in: ends.in },
      edges: [
        ['b', 'out'],
        ['in', 'a'],
        ['a', 'b'],
        ['in', 'b'],
      ],
    }
    expect(orderNodes(graph)).toEqual(['in', 'a', 'b', 'out'])
    expect(inferShapes(graph).get('out')).toEqual([2])
  })

  it('refuses recurrent graphs and names the loop', () => {
    const recurrent: NirGraph = {
      version: '',
      nodes: { ...ends, lif: lif([2]), w: { type: 'Linear', weight: array([2, 2]) } },
      edges: [
        ['in', 'lif'],
        ['lif', 'w'],
        ['w', 'lif'],
        ['lif', 'out'],
      ],
    }
    expect(() => orderNodes(recurrent)).toThrow(UnsupportedError)
    expect(() => orderNodes(recurrent)).toThrow(/recurrent: ("lif" -> "w" -> "lif"|"w" -> "lif" -> "w")/)
    const self = { ...recurrent, edges: [...recurrent.edges.slice(0, 1), ['lif', 'lif'], ['lif', 'w'], ['w', 'out']] }
    expect(() => orderNodes(self as unknown as NirGraph)).toThrow(/"lif" -> "lif"/)
  })

  it('refuses edges and shapes that do not fit', async () => {
    const good = chain({ in: ends.in, lif: lif([2]), out: ends.out })
    const edges =
      (...list: [string, string][]) =>
      () =>
        orderNodes({ ...good, edges: list })
    expect(edges(['in', 'lif'], ['lif', 'x'])).toThrow(/names "x", which is no node/)
    expect(edges(['in', 'lif'], ['in', 'lif'], ['lif', 'out'])).toThrow(/there twice/)
    expect(edges(['in', 'out'])).toThrow(/"lif" \(LIF\) has no input/)
    expect(edges(['in', 'lif'], ['in', 'out'])).toThrow(/"lif" \(LIF\) leads nowhere/)
    const network = (nodes: Record<string, NirNode>) => encodeNir(chain({ in: ends.in, ...nodes, out: ends.out }))
    await expect(network({ lif: lif([3]) })).rejects.toThrow(
      /"lif" \(LIF\): parameters for \[3\] neurons, the input is \[2\]/,
    )
    await expect(network({ lif: lif([2], 0) })).rejects.toThrow(/tau above 0 s, got 0/)
    await expect(network({ w: { type: 'Linear', weight: array([2, 3]) } })).rejects.toThrow(/input of \[3\], got \[2\]/)
    await expect(network({ w: { type: 'Affine', weight: array([2, 2]), bias: array([3]) } })).rejects.toThrow(
      /bias has 3/,
    )
    await expect(network({ w: { type: 'Linear', weight: array([4]) } })).rejects.toThrow(/weight is \[4\]/)
    await expect(network({ 'a/b': lif([2]) })).rejects.toThrow(/without "\/"/)
    const pool = { type: 'AvgPool2d', kernel_size: [3, 3], stride: [1, 1], padding: [0, 0] } as const
    await expect(network({ pool })).rejects.toThrow(/expected an input of/)
    await expect(
      encodeNir(chain({ in: { type: 'Input', shape: [1, 2, 9] }, pool, out: { type: 'Output', shape: [1, 1, 7] } })),
    ).rejects.toThrow(/window of 3 does not fit 2/)
  })

  it('names nodes of types that are not supported and says what to do', () => {
    const text = (value: string) => ({ shape: [], kind: 'text', data: [value] }) as const
    const file = (type: string) => ({
      version: text('1.0'),
      node: {
        type: text('NIRGraph'),
        nodes: { cell: { type: text(type) } },
        edges: { shape: [0, 2], kind: 'text', data: [] } as const,
      },
    })
    expect(() => graphOf(file('CubaLIF'))).toThrow(UnsupportedError)
    expect(() => graphOf(file('CubaLIF'))).toThrow(
      /node "cell": the type CubaLIF is not supported; instead, .* train with LIF/,
    )
    expect(() => graphOf(file('NIRGraph'))).toThrow(/sub-graph/)
    expect(() => graphOf(file('toString'))).toThrow(/instead, use Input, Output/)
    expect(() => graphOf(file('LIF'))).toThrow(/node "cell" \(LIF\) has no tau/)
  })

  it('reads files from paths, and says what is no NIR file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'he-ml-nir-'))
    try {
      await writeFile(join(folder, 'a.nir'), await encodeNir(everyType))
      expect(Object.keys((await importNir(join(folder, 'a.nir'))).nodes)).toEqual(Object.keys(everyType.nodes).sort())
      const bytes = await readFile(join(folder, 'a.nir'))
      await expect(importNir(bytes, { maxValues: 50 })).rejects.toThrow(/more values than the limit/)
      await expect(importNir(bytes, { timeoutMs: 0 })).rejects.toThrow(/longer than 0 ms/)
      await expect(importNir(new Uint8Array(100))).rejects.toThrow(/expected its signature/)
      await expect(importNir(bytes.subarray(0, 600))).rejects.toThrow(FormatError)
      const worker = new Hdf5Worker(600_000)
      const other = await worker.write({ data: { shape: [2], kind: 'int', data: [1, 2] } }, false)
      await worker.close()
      await expect(importNir(other)).rejects.toThrow(/expected a group "node"/)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('NIR as other writers make it', () => {
  const file = (base64: string) => inflateSync(Buffer.from(base64, 'base64'))

  it.each(['Earliest', 'Latest'] as const)('LZF, half precision, metadata of any type (%s)', async (version) => {
    const { nodes, edges } = await importNir(file(network[version]))
    expect(edges).toEqual([
      ['input', 'fc'],
      ['fc', 'if'],
      ['if', 'output'],
    ])
    expect(nodes.if).toMatchObject({
      r: { shape: [6], data: [1, 1, 1, 1, 1, 1] },
      v_threshold: { data: [2, 2, 2, 2, 2, 2] },
    })
    const { weight, metadata } = nodes.fc as Extract<NirNode, { type: 'Linear' }>
    expect(weight).toEqual(array([6, 10], (i) => (i - 20) / 4))
    expect(metadata).toEqual({ bits: 0.5, trained: 1, name: 'first' })
  })

  it('names node and field of what is not read, and only where it is needed', () => {
    const text = (value: string) => ({ shape: [], kind: 'text', data: [value] }) as const
    const graph = (linear: HdfGroup): HdfGroup => ({
      node: {
        type: text('NIRGraph'),
        nodes: {
          in: { type: text('Input'), shape: { shape: [1], kind: 'int', data: [2] } },
          fc: { type: text('Linear'), ...linear },
          out: { type: text('Output'), shape: { shape: [1], kind: 'int', data: [2] } },
        },
        edges: { shape: [2, 2], kind: 'text', data: ['in', 'fc', 'fc', 'out'] },
        other: { unread: 'is odd' },
      },
    })
    const weight = { shape: [2, 2], kind: 'float', data: [1, 2, 3, 4] } as const
    expect(graphOf(graph({ weight, metadata: { unread: 'is odd' } })).nodes.fc).toEqual({
      type: 'Linear',
      weight: { shape: [2, 2], data: [1, 2, 3, 4] },
    })
    const unread = graph({ weight: { unread: 'is stored through the filter zstd' } })
    expect(() => graphOf(unread)).toThrow(UnsupportedError)
    expect(() => graphOf(unread)).toThrow(/node "fc" \(Linear\): weight: is stored through the filter zstd/)
    const infinite = graph({ weight: { ...weight, data: [1, 2, 3, Number.POSITIVE_INFINITY] } })
    expect(() => graphOf(infinite)).toThrow(UnsupportedError)
    expect(() => graphOf(infinite)).toThrow(/node "fc" \(Linear\): weight holds Infinity/)
  })

  it('refuses one flipped bit inside a chunk, naming the array', async () => {
    const data = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i))
    const { bytes, chunks } = await writeHdf5(
      { weight: { data, shape: [64, 64], chunks: [64, 64], compression: 1 } },
      undefined,
    )
    const [chunk] = chunks('weight')
    bytes[chunk!.address + chunk!.bytes - 100]! ^= 1
    await expect(importNir(bytes)).rejects.toThrow(FormatError)
    await expect(importNir(bytes)).rejects.toThrow(/"weight": a chunk does not come out of its filter deflate whole/)
  })
})

const PYTHON = process.env.HE_ML_PYTHON ?? '/usr/bin/python3'
const hasH5py = spawnSync(PYTHON, ['-c', 'import h5py'], { stdio: 'ignore' }).status === 0
if (!hasH5py) console.warn('model-import: no python3-h5py, NIR files are not exchanged with a reader that is not ours')

describe.skipIf(!hasH5py)('a reader and writer that is not ours (h5py)', () => {
  const run = (script: string, path: string): unknown => {
    const { status, stdout, stderr } = spawnSync(PYTHON, ['-c', script, path], { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
    return stdout === '' ? undefined : JSON.parse(stdout)
  }

  it('reads the same values, types and edges', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'he-ml-nir-'))
    try {
      const path = join(folder, 'ours.nir')
      await writeFile(path, await encodeNir(everyType))
      const read = run(
        `
import h5py, json, sys
def plain(x):
    if isinstance(x, h5py.Group): return {k: plain(v) for k, v in x.items()}
    v = x[()]
    if isinstance(v, bytes): return v.decode()
    if x.dtype == object: return [[b.decode() for b in row] for row in v]
    return {'shape': list(v.shape), 'dtype': str(v.dtype), 'data': v.flatten().tolist()}
print(json.dumps(plain(h5py.File(sys.argv[1])))) `,
        path,
      ) as { version: string; node: { type: string; edges: unknown; nodes: Record<string, Record<string, unknown>> } }
      expect(read.node.type).toBe('NIRGraph')
      expect(read.node.edges).toEqual(everyType.edges)
      for (const [name, node] of Object.entries(everyType.nodes)) {
        const theirs = read.node.nodes[name]!
        expect(theirs.type).toBe(node.type)
        for (const [key, value] of Object.entries(node))
          if (typeof value === 'object' && 'data' in value)
            expect(theirs[key]).toEqual({ shape: value.shape, dtype: 'float32', data: value.data })
          else if (Array.isArray(value))
            expect(theirs[key]).toEqual({ shape: [value.length], dtype: 'int64', data: value })
      }
      expect(read.node.nodes.same!.padding).toBe('same')
      expect(read.node.nodes.conv!.groups).toEqual({ shape: [], dtype: 'int64', data: [2] })
      expect(read.node.nodes['lif.1']!.metadata).toMatchObject({ reset: 'subtract', grid: { data: [64] } })
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('writes what we read: compressed, in double precision, with scalars and without v_reset', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'he-ml-nir-'))
    try {
      const path = join(folder, 'theirs.nir')
      run(
        `
import h5py, numpy as np, sys
with h5py.File(sys.argv[1], 'w') as f:
    f['version'] = '0.2.0'
    g = f.create_group('node'); g['type'] = 'NIRGraph'
    g['edges'] = [('in', 'fc'), ('fc', 'if'), ('if', 'out')]
    n = g.create_group('nodes')
    a = n.create_group('in'); a['type'] = 'Input'; a['shape'] = np.array([300])
    a = n.create_group('fc'); a['type'] = 'Affine'
    a.create_dataset('weight', data=np.arange(600, dtype=np.float64).reshape(2, 300) / 7, compression='gzip')
    a['bias'] = np.array([1, 2], dtype=np.int32)
    a = n.create_group('if'); a['type'] = np.bytes_('IF'); a['r'] = np.ones(2, dtype=np.float32); a['v_threshold'] = np.ones(2)
    a = n.create_group('out'); a['type'] = 'Output'; a['shape'] = np.array([2], dtype=np.uint8)
`,
        path,
      )
      const graph = await importNir(path)
      expect(graph.version).toBe('0.2.0')
      expect(graph.nodes.fc).toMatchObject({ bias: { shape: [2], data: [1, 2] }, weight: { shape: [2, 300] } })
      expect((graph.nodes.fc as Extract<NirNode, { type: 'Affine' }>).weight.data[599]).toBe(599 / 7)
      expect(graph.nodes.if).toMatchObject({ r: { data: [1, 1] }, v_reset: { shape: [2], data: [0, 0] } })
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
