/** Tiles of a batch are one row of a plan, and one line of a picture. */
import type { Plan, TaskTrace } from '@he-ml/pipeline'
import { describe, expect, it } from 'vitest'
import { rowsOf } from './plan-text.ts'
import { traceSvg } from './trace-svg.ts'

type Row = Plan['report']['layers'][number]

const row = (name: string, more: Partial<Row> = {}): Row => ({
  name,
  kind: 'conv2d',
  level: 5,
  outputLevel: 4,
  ciphertexts: 2,
  seconds: 1,
  encodeSeconds: 0,
  rotations: 3,
  products: 0,
  plaintextProducts: 9,
  precisionBits: 12,
  ...more,
})
const layers = [
  row('conv [1/2]', { tile: 0, of: 'conv' }),
  row('conv [2/2]', { tile: 1, of: 'conv', precisionBits: 11 }),
  row('fc', { kind: 'linear' }),
]

describe('tiles', () => {
  it('add up to one row, in its first place', () => {
    const rows = rowsOf(layers)
    expect(rows.map(({ name }) => name)).toEqual(['conv', 'fc'])
    expect(rows[0]).toMatchObject({
      ciphertexts: 4,
      seconds: 2,
      rotations: 6,
      plaintextProducts: 18,
      precisionBits: 11,
    })
    expect(rows[1]).toEqual(layers[2])
  })
  it('are drawn on one line, with the memory below', async () => {
    const trace = (task: string, layer: string, start: number): TaskTrace => ({
      task,
      layer,
      kind: layer === 'fc' ? 'linear' : 'refresh',
      start,
      end: start + 1,
      plannedSeconds: 1,
      memoryBytes: 1e9,
      peakBytes: 2e9,
      rotations: 0,
      products: 0,
      plaintextProducts: 0,
    })
    const plan = { model: { name: 'small' }, batch: 64, report: { seconds: 3, threads: 1 } } as Plan
    const svg = await traceSvg(plan, [
      trace('conv [1/2]', 'conv', 0),
      trace('conv [2/2]', 'conv', 1),
      trace('fc', 'fc', 2),
    ])
    for (const text of ['small: 64 images in 3.0 s', 'engine at most 2.00 GB', '>conv<', '>fc<', 'refresh'])
      expect(svg).toContain(text)
    expect(svg).not.toContain('conv [1/2]')
  })
})
