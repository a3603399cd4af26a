import type { LayerLook } from '@he-ml/example-privspike-lenet5/look'
import { describe, expect, it } from 'vitest'
import { insideRows } from './spikes-inside.ts'

const look = (name: string, change: Partial<LayerLook>): LayerLook => ({
  ...{ name, neurons: 4, timeSteps: 2, threshold: 1, encrypted: new Uint8Array(8), clear: new Uint8Array(8) },
  ...{ seen: 8, differing: 0, drift: [{}, {}], distances: new Float64Array() },
  ...change,
})

describe('rows of runs looked at from inside', () => {
  it('count spikes of all layers and inputs, and take drift by layer and step', () => {
    const rows = insideRows([
      [
        look('one', {}),
        look('two', { seen: 4, differing: 1, drift: [{ charged: 3 }, {}], distances: Float64Array.of(0.3, -0.4) }),
      ],
      [look('one', {}), look('two', { drift: [{ charged: 4 }, { membranes: 1 }], distances: Float64Array.of(0, 0) })],
    ])
    expect(rows).toEqual([
      ['spike-agreement', (100 * 27) / 28, '%', {}],
      ['neuron-steps', 28, 'spikes', {}],
      ['scatter', 0.25, 'grid steps', {}],
      ['furthest', 0.4, 'grid steps', {}],
      ['drift', Math.sqrt(12.5), 'membrane units', { layer: 'two', step: '1' }],
    ])
  })
  it('have no distances where there is no grid', () => {
    expect(insideRows([[look('one', {})]]).map(([metric]) => metric)).toEqual(['spike-agreement', 'neuron-steps'])
  })
})
