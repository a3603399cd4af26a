import type { LayerReport } from '@he-ml/pipeline'
import { describe, expect, it } from 'vitest'
import { failureText } from './failure-text.ts'

const layer = { name: 'conv', kind: 'conv' } as unknown as LayerReport
const refresh = { name: 'refresh', kind: 'refresh', refresh: { bootstraps: 1 } } as unknown as LayerReport

describe('what the failure bound of a plan covers', () => {
  it.each([
    [[layer], 0, 'no bootstraps, so none can fail'],
    [[layer, refresh], 0, 'no bootstrap can fail while values stay in range'],
    [[layer, refresh], 2 ** -68.85, 'probability below 1.9e-21 that any bootstrap fails while values stay in range'],
  ])('%#', (layers, failureProbability, text) => {
    expect(failureText({ layers, failureProbability })).toBe(text)
  })
})
