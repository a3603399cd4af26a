import type { InputStatistics } from '@he-ml/model'

/** What several layers saw, as if one had; the histogram in as many bins as the finest has over all of the range. */
export function poolStatistics(all: readonly InputStatistics[]): InputStatistics {
  const [first] = all
  if (all.length === 1) return first!
  const min = Math.min(...all.map((s) => s.min))
  const max = Math.max(...all.map((s) => s.max))
  const count = all.reduce((sum, s) => sum + s.count, 0)
  const mean = all.reduce((sum, s) => sum + s.count * s.mean, 0) / count
  const squares = all.reduce((sum, s) => sum + (s.count - 1) * s.std ** 2 + s.count * (s.mean - mean) ** 2, 0)
  const finest = Math.min(...all.map((s) => (s.max > s.min ? (s.max - s.min) / s.histogram.length : Infinity)))
  const bins = max > min && Number.isFinite(finest) ? Math.min(MOST_BINS, Math.ceil((max - min) / finest)) : 1
  const histogram = new Float64Array(bins)
  for (const s of all) {
    const width = (s.max - s.min) / s.histogram.length
    for (const [i, n] of s.histogram.entries()) {
      const at = s.min + (i + 0.5) * width
      histogram[Math.min(bins - 1, Math.floor(((at - min) / (max - min || 1)) * bins))]! += n
    }
  }
  const apart = all.flatMap(({ offGrid }) => offGrid ?? [])
  return {
    ...{ count, min, max, mean, std: count > 1 ? Math.sqrt(squares / (count - 1)) : 0, histogram },
    ...(apart.length > 0 ? { offGrid: Math.max(...apart) } : {}),
  }
}

const MOST_BINS = 8192
