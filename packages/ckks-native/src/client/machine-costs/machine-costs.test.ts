import { createDefaultCostModel, FormatError } from '@he-ml/ckks-core'
import { expect, it } from 'vitest'
import { type MachineCosts, machineCostModel, parseMachineCosts } from './machine-costs.ts'

const costs: MachineCosts = {
  format: 'he-ml/machine',
  version: 1,
  kernel: 'scalar',
  threads: 2,
  logN: 16,
  factors: { rotate: 3, rescale: 0.5 },
}

it('machine costs go through JSON, with the ring they were measured in or without', () => {
  expect(parseMachineCosts(JSON.stringify(costs))).toEqual(costs)
  const { logN: _, ...older } = costs
  expect(parseMachineCosts(JSON.stringify(older))).toEqual(older)
  for (const bad of [{ logN: 14 }, { threads: 0 }, { factors: { walk: 1 } }, { factors: { rotate: -1 } }])
    expect(() => parseMachineCosts(JSON.stringify({ ...costs, ...bad }))).toThrow(FormatError)
  expect(() => parseMachineCosts('{')).toThrow(FormatError)
})

it('their model scales the default one kind by kind', () => {
  const size = { logN: 15, limbs: 8, specialLimbs: 3, digits: 3 }
  const base = createDefaultCostModel({ threads: 2 })
  const here = machineCostModel(costs)
  expect(here.seconds('rotate', size)).toBeCloseTo(3 * base.seconds('rotate', size), 12)
  expect(here.seconds('rescale', size)).toBeCloseTo(0.5 * base.seconds('rescale', size), 12)
  expect(here.seconds('add', size)).toBe(base.seconds('add', size))
  expect(here.threads).toBe(2)
})
