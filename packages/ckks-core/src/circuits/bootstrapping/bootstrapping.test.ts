import { describe, expect, it } from 'vitest'
import { createClearEngine } from '../../engines/clear/index.ts'
import { createPlanEngine } from '../../engines/plan/index.ts'
import { insecureParameters } from '../../parameters/create-parameters.ts'
import { createBootstrapping } from './bootstrapping.ts'
import { type BootstrappingRequest, bootstrappingLiteral } from './bootstrapping-parameters.ts'
import { BOOTSTRAPPING_SETS, bootstrappingSet } from './bootstrapping-sets.ts'

const request: BootstrappingRequest = {
  ...BOOTSTRAPPING_SETS['N16-B10'],
  logN: 10,
  levels: 3,
  specialBits: new Array(8).fill(47.9),
  spec: { ...BOOTSTRAPPING_SETS['N16-B10'].spec, slots: 2 ** 9 },
}
const disc = (slots: number, seed = 1) => ({
  re: Float64Array.from({ length: slots }, (_, i) => 0.7 * Math.sin(i * i * seed + 1)),
  im: Float64Array.from({ length: slots }, (_, i) => 0.7 * Math.cos(3 * i + seed)),
})

describe('bootstrapping on the clear engine', () => {
  it.each([
    ['all slots', {}],
    ['few slots', { slots: 64 }],
    ['arcsine', { arcsine: true, logMessageRatio: 8 }],
  ])('%s', async (_, change) => {
    const spec = { ...request.spec, ...change }
    const parameters = insecureParameters(bootstrappingLiteral({ ...request, spec }))
    const engine = createClearEngine(parameters, { noise: true })
    const circuit = createBootstrapping(parameters, spec)
    const prepared = await circuit.prepare(engine)
    const values = disc(spec.slots)
    const used = engine.encryptClear(values, { level: circuit.inputLevel })
    const fresh = prepared.bootstrap(engine, used)
    expect(fresh.level).toBe(circuit.outputLevel)
    const got = engine.readClear(fresh)
    let worst = 0
    for (let i = 0; i < spec.slots; i++)
      worst = Math.max(worst, Math.hypot(got.re[i]! - values.re[i]!, got.im[i]! - values.im[i]!))
    console.log(-Math.log2(worst), circuit.failureProbability)
    expect(-Math.log2(worst)).toBeGreaterThan(15)
  })
})

it('plan', async () => {
  const { parameters, spec } = bootstrappingSet('N16-B10')
  console.log(
    parameters.logQ,
    parameters.logP,
    parameters.logQP,
    parameters.qLimbs.length,
    parameters.p.length,
    parameters.q.map((g) => g.map((x) => Math.log2(x).toFixed(2)).join('+')).join(' '),
  )
  console.log(parameters.q.map((_, l) => Math.log2(parameters.scaleAt(l)).toFixed(2)).join(' '))
  const circuit = createBootstrapping(parameters, spec)
  const engine = createPlanEngine(parameters)
  const t0 = performance.now()
  const prepared = await circuit.prepare(engine)
  const out = prepared.bootstrap(engine, engine.input({ level: circuit.inputLevel }))
  const r = engine.report()
  console.log(performance.now() - t0, circuit.inputLevel, circuit.outputLevel, circuit.failureProbability)
  console.log(
    r.totals,
    r.seconds,
    r.keyBytes / 1e9,
    r.plaintextBytes.peak / 1e9,
    r.peakBytes / 1e9,
    engine.estimate(out),
  )
  console.log(r.keyRequest.rotations.length, r.keyRequest)
})
