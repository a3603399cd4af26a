import {
  BOOTSTRAPPING_SETS,
  type BootstrappingRequest,
  bootstrappingLiteral,
  createBootstrapping,
  insecureParametersWithFiles,
} from '@he-ml/ckks-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { drawRun } from './plot.ts'
import { runClocks, type Step } from './run.ts'

/** The demo's circuit in a ring far too small to be secure, for speed. */
const [secure] = Object.values<BootstrappingRequest>(BOOTSTRAPPING_SETS)
const request = { ...secure!, logN: 10, levels: 2, spec: { ...secure!.spec, slots: 2 ** 9 } }

const BOOTSTRAPS = 3
let steps: Step[]
let keys: number[]
beforeAll(async () => {
  keys = []
  const circuit = createBootstrapping(insecureParametersWithFiles(bootstrappingLiteral(request)), request.spec)
  steps = await runClocks(circuit, {
    bootstraps: BOOTSTRAPS,
    threads: 2,
    onKey: (done) => keys.push(done),
    onStep: () => undefined,
  })
})

describe('encrypted clocks', () => {
  it('use up their levels and get them back', () => {
    const round = ['tick', 'tick', 'bootstrap']
    expect(steps.map((s) => s.kind)).toEqual(['start', ...round, ...round, ...round])
    const full = steps[0]!.level
    expect(steps.slice(0, 4).map((s) => s.level)).toEqual([full, full - 1, full - 2, full])
    expect(steps.at(-1)).toMatchObject({ ticks: 2 * BOOTSTRAPS, bootstraps: BOOTSTRAPS, level: full })
  })
  it('show the right time all along', () => {
    for (const { worstBits, meanBits } of steps) {
      expect(worstBits).toBeGreaterThan(12)
      expect(meanBits).toBeGreaterThan(worstBits)
    }
  })
  it('report every key', () => {
    expect(keys.length).toBeGreaterThan(20)
    expect(keys).toEqual(keys.map((_, i) => i + 1))
  })
  it('are drawn', async () => {
    const svg = await drawRun('title', ['subtitle'], steps)
    expect(svg).toMatch(/^<svg/)
    for (const text of ['title', 'subtitle', 'worst slot', 'level']) expect(svg).toContain(text)
    expect(svg).not.toContain('NaN')
  })
})
