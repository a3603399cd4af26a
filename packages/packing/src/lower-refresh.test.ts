import {
  createClearEngine,
  createFunctionalBootstrapping,
  FUNCTIONAL_SETS,
  functionalLiteral,
  gridFunction,
  insecureParameters,
} from '@he-ml/ckks-core'
import { createTensor, type Tensor } from '@he-ml/model'
import { describe, expect, it } from 'vitest'
import { createBatchLayout, createMultiplexedLayout } from './create-layout.ts'
import { joinRefreshes, lowerRefresh } from './lower-refresh.ts'
import type { LoweredLayer } from './lowered-contract.ts'
import { pack, unpack } from './pack.ts'
import { PackedTensor } from './packed-tensor.ts'
import type { RefreshCell } from './refresh-cell.ts'
import type { SlotLayout } from './slot-layout.ts'

const POINTS = 16
const grid = (f: (k: number) => number) => Array.from({ length: 14 }, (_, i) => ({ index: i - 7, value: f(i - 7) }))
const step = gridFunction({ points: POINTS, values: grid((k) => (k >= 1 ? 1 : 0)), cleaned: true })
const half = gridFunction({ points: POINTS, values: grid((k) => k / 2) })
const twice = gridFunction({ points: POINTS, values: grid((k) => (k >= 3 ? 2 : 0)), cleaned: true })

const layoutOf = (size: number): SlotLayout => createMultiplexedLayout([size], { maxSlots: 512 })
const cell = (name: string, size: number, more: Partial<RefreshCell> = {}): RefreshCell => ({
  name,
  inputs: [layoutOf(size), layoutOf(size)],
  start: 0,
  period: POINTS,
  functions: [step, half],
  points: POINTS,
  ...more,
})
const values = (size: number, seed: number): Tensor =>
  createTensor(
    [size],
    Float64Array.from({ length: size }, (_, i) => ((i * 5 + seed) % 7) - 3),
  )

/** Runs a circuit on the clear engine, other slots full of large numbers. */
async function run(circuit: LoweredLayer, given: readonly (readonly [SlotLayout, Tensor])[]): Promise<Float64Array[]> {
  const base = FUNCTIONAL_SETS['N16-P64']
  const { slots, content, period, functionLevels } = circuit.refresh!
  const spec = { ...base.spec, slots, content, functionLevels }
  const specialBits = new Array(12).fill(47.5)
  const parameters = insecureParameters(functionalLiteral({ ...base, logN: 10, specialBits, spec }))
  const engine = createClearEngine(parameters)
  const refresh = await createFunctionalBootstrapping(parameters, spec).prepare(engine, { periods: [period] })
  const level = spec.slotsToCoeffs + 1
  using prepared = await circuit.prepare(engine, { level })
  const inputs = given.map(([layout, tensor]) => {
    const vectors = pack(tensor, layout)
    if (layout.kind === 'multiplexed' && layout.grid.gaps === 'any')
      for (const v of vectors) v.fill(1000, tensor.data.length)
    return new PackedTensor(
      layout,
      vectors.map((v) => engine.encryptClear(v, { level })),
    )
  })
  const outputs = await prepared.apply(engine, inputs, { refresh })
  const results = outputs.map((output, i) => {
    expect(output.layout).toEqual(circuit.outputs[i])
    return unpack(
      output.ciphertexts.map((c) => engine.readClear(c).re),
      output.layout,
      1,
    )[0]!.data
  })
  for (const handle of [...inputs, ...outputs, refresh]) handle.dispose()
  prepared.dispose()
  expect(engine.memory().total).toBe(0)
  return results
}

const close = (got: Float64Array, want: ArrayLike<number>) => {
  expect(got).toHaveLength(want.length)
  for (let i = 0; i < want.length; i++) expect(Math.abs(got[i]! - want[i]!)).toBeLessThan(0.02)
}
const sum = (a: Tensor, b: Tensor) => a.data.map((x, i) => x + b.data[i]!)

describe('joined refreshes', () => {
  const [a, b] = [cell('a', 12), cell('b', 20, { functions: [twice, half] })]
  const first = cell('c', 12, { inputs: [layoutOf(12)], start: 1 })

  it('give each cell its own functions, though their elements lie in the same slots', async () => {
    const joined = joinRefreshes('all', [a, b, first], 512)!
    expect(joined.refresh).toMatchObject({ slots: 64, content: 'real', ciphertexts: 1, functionLevels: 5 })
    expect(joined.outputs).toHaveLength(6)
    const [x, m, y, n, z] = [values(12, 1), values(12, 2), values(20, 3), values(20, 4), values(12, 5)]
    const got = await run(joined, [
      [layoutOf(12), x],
      [layoutOf(12), m],
      [layoutOf(20), y],
      [layoutOf(20), n],
      [layoutOf(12), z],
    ])
    const wanted = [sum(x, m), sum(x, m), sum(y, n), sum(y, n), z.data.map((v) => v + 1), z.data.map((v) => v + 1)]
    const functions = [step, half, twice, half, step, half]
    for (const [i, result] of got.entries())
      close(
        result,
        wanted[i]!.map((k) => functions[i]!.at(k / POINTS)),
      )
  })

  it('mask whatever lies beside the elements', async () => {
    const layout = layoutOf(12) as SlotLayout & { kind: 'multiplexed' }
    const dirty: SlotLayout = { ...layout, grid: { ...layout.grid, gaps: 'any' } }
    const x = values(12, 1)
    const one = { inputs: [dirty], functions: [step] }
    for (const circuit of [lowerRefresh(cell('a', 12, one)), joinRefreshes('a', [cell('a', 12, one)], 512)!]) {
      expect(circuit.depth).toBe(1)
      close(
        (await run(circuit, [[dirty, x]]))[0]!,
        x.data.map((k) => step.at(k / POINTS)),
      )
    }
  })

  it('take vectors shorter than any circuit, and give what goes on from there', async () => {
    const [x, y] = [values(4, 1), values(4, 2)]
    const alone = lowerRefresh(cell('a', 4))
    expect(layoutOf(4).slots).toBe(4)
    expect(alone.outputs[0]).toMatchObject({ slots: 16, period: 4 })
    const joined = joinRefreshes('a + b', [cell('a', 4), cell('b', 4)], 512)!
    const given = [x, y].map((t) => [layoutOf(4), t] as const)
    for (const [circuit, inputs] of [
      [alone, given],
      [joined, [...given, ...given]],
    ] as const)
      for (const [i, result] of (await run(circuit, inputs)).entries())
        close(
          result,
          sum(x, y).map((k) => [step, half][i % 2]!.at(k / POINTS)),
        )
    const batch = createBatchLayout([4], { slots: 8 })
    expect(() => lowerRefresh(cell('a', 4, { inputs: [batch, batch] }))).toThrow(/use a batch of 16 or more/)
  })

  it('are none where cells do not fit together', () => {
    expect(joinRefreshes('none', [], 512)).toBeUndefined()
    expect(joinRefreshes('periods', [a, cell('b', 12, { period: 8 })], 512)).toBeUndefined()
    expect(joinRefreshes('too many', [cell('a', 200), cell('b', 200), cell('c', 200)], 512)).toBeUndefined()
    const batch = createBatchLayout([12], { slots: 16 })
    expect(joinRefreshes('batch', [a, cell('b', 12, { inputs: [batch] })], 512)).toBeUndefined()
    const moved = { ...(layoutOf(12) as SlotLayout & { kind: 'multiplexed' }) }
    const apart: SlotLayout = {
      ...moved,
      grid: { ...moved.grid, channelOffsets: [...moved.grid.channelOffsets].reverse() },
    }
    expect(joinRefreshes('apart', [cell('a', 12, { inputs: [layoutOf(12), apart] })], 512)).toBeUndefined()
    expect(() => lowerRefresh(cell('a', 12, { inputs: [layoutOf(12), apart] }))).toThrow(/lie in different slots/)
  })
})
