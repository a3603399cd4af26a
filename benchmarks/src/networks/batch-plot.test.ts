import { describe, expect, it } from 'vitest'
import type { Row } from '../rows.ts'
import { plotBatches } from './batch-plot.ts'

const rows = (batch: number, threads: number, values: Record<string, number>): Row[] =>
  Object.entries(values).map(([metric, value]) => ({
    name: 'resnet20-relu',
    params: { batch, threads },
    metric,
    value,
    unit: 's',
  }))

describe('the plot of batches', () => {
  const all = [
    ...rows(128, 2, { amortised: 4, 'latency-planned': 384, 'peak-rss': 8, 'peak-planned': 8 }),
    ...rows(32, 2, { amortised: 5, 'latency-planned': 128, 'peak-rss': 6, 'peak-planned': 6 }),
    ...rows(32, 1, { amortised: 9, accuracy: 93 }),
  ]
  it('has a line for each network and number of threads, over ascending batches', () => {
    const svg = plotBatches(all)
    expect(svg).toContain('>resnet20-relu, 2 threads<')
    expect(svg).toContain('>resnet20-relu, 1 thread<')
    expect(svg.match(/<circle/g)).toHaveLength(5)
    const lines = [...svg.matchAll(/<polyline points="([^"]*)"/g)].map(([, points]) => points!.split(' '))
    for (const points of lines) {
      const places = points.filter((p) => p !== '').map((p) => Number(p.split(',')[0]))
      expect(places).toEqual(places.toSorted((a, b) => a - b))
    }
    // planned seconds are of the batch: 384 / 128 images
    const [planned, measured] = lines as [string[], string[]]
    expect(Number(planned[1]!.split(',')[1])).toBeGreaterThan(Number(measured[1]!.split(',')[1]))
  })
  it('is empty without rows', () => {
    expect(plotBatches([])).not.toContain('polyline')
  })
})
