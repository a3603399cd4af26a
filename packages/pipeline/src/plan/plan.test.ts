import { FormatError, HeMlError, ParameterMismatchError, SecurityError } from '@he-ml/ckks-core'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { bindPlan } from '../bind/bind-plan.ts'
import { compile } from '../compile/compile.ts'
import { images, mutate, smallCnn } from '../pipeline.test-helper.ts'
import { fit } from '../ready/fit.ts'
import { inputLayoutOf, outputLayoutOf, parsePlan, planDigest, sealPlan } from './plan.ts'
import type { Plan } from './plan-form.ts'

const model = smallCnn('relu')
let plan: Plan
beforeAll(async () => {
  const calibration = await fit(model, images(10), { equalize: true })
  const activation = { degree: 7, method: 'least-squares' as const, layers: { act: { margin: 1.5 } } }
  plan = await compile(model, { calibration, activation, scaleBits: 30 })
})

describe('a plan', () => {
  it('goes through JSON unchanged and binds to its model', () => {
    const again = parsePlan(JSON.stringify(plan))
    expect(again).toEqual(JSON.parse(JSON.stringify(plan)))
    expect(again.id).toBe(plan.id)
    const bound = bindPlan(again, model)
    expect(bound.program.input.layout).toEqual(inputLayoutOf(plan))
    expect(bound.parameters.maxLevel).toBeGreaterThanOrEqual(plan.report.depth)
    expect(outputLayoutOf(plan).shape).toEqual(plan.model.output)
  })
  it('holds channels so that their ranges are equal, and binds to nothing that it does not tell', () => {
    const { equalization } = plan.decided
    expect(Object.keys(equalization!).length).toBeGreaterThan(0)
    const [name, quarters] = Object.entries(equalization!)[0]!
    const changed = { ...plan.decided, equalization: { ...equalization, [name]: [...quarters, 0] } }
    expect(() => bindPlan(sealPlan({ ...plan, decided: changed }), model)).toThrow(/plan: equalization: "conv/)
  })
  it('does not bind to another model', () => {
    expect(() => bindPlan(plan, smallCnn('relu', 2))).toThrow(ParameterMismatchError)
    expect(() => bindPlan(plan, smallCnn('square'))).toThrow(ParameterMismatchError)
  })
  it('shows every change', () => {
    for (const change of [
      (p: Plan) => ({ ...p, batch: 2 }),
      (p: Plan) => ({ ...p, report: { ...p.report, seconds: p.report.seconds + 1e-9 } }),
      (p: Plan) => ({ ...p, keyRequest: { ...p.keyRequest, rotations: p.keyRequest.rotations.slice(1) } }),
      (p: Plan) => ({ ...p, id: '0'.repeat(64) }),
    ])
      expect(() => parsePlan(JSON.stringify(change(plan)))).toThrow(/content hash/)
  })
  it('with weak parameters does not bind, even with a right hash', () => {
    const weak = { ...plan, parameters: { ...plan.parameters, logN: plan.parameters.logN - 1 } }
    const sealed = { ...weak, id: planDigest(weak) }
    expect(() => bindPlan(parsePlan(JSON.stringify(sealed)), model)).toThrow(SecurityError)
  })
})

describe('hostile plans', () => {
  const junk = fc.oneof(
    fc.constantFrom(
      undefined,
      null,
      'extra',
      -1,
      0.5,
      1e308,
      2 ** 53,
      '',
      [],
      {},
      [[]],
      true,
      '__proto__',
      'x'.repeat(1000),
    ),
    fc.jsonValue(),
    fc.integer(),
  )
  it('changed anywhere, the hash made right or not, end in a FormatError or bind to nothing wrong', () => {
    let accepted = 0
    const property = fc.property(
      fc.array(fc.nat(40), { minLength: 1, maxLength: 4 }),
      junk,
      fc.boolean(),
      (path, value, sealed) => {
        const changed = mutate(JSON.parse(JSON.stringify(plan)), path, value) as Plan
        let text = JSON.stringify(changed) ?? ''
        if (sealed && typeof changed === 'object' && changed !== null && !Array.isArray(changed)) {
          try {
            text = JSON.stringify({ ...changed, id: planDigest(changed) })
          } catch {
            // not even hashable
          }
        }
        let parsed: Plan
        try {
          parsed = parsePlan(text)
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError)
          return
        }
        accepted++
        try {
          if (accepted < 40) bindPlan(parsed, model)
        } catch (error) {
          if (!(error instanceof HeMlError)) throw error
        }
      },
    )
    fc.assert(property, { numRuns: 3000, endOnFailure: true })
  })
  it('that are no plans', () => {
    for (const text of ['', '{', 'null', '[]', '1', '{"format":"he-ml/plan"}', '{"__proto__":{}}', '['.repeat(100_000)])
      expect(() => parsePlan(text), text.slice(0, 20)).toThrow(FormatError)
  })
  it('with layouts that are none', () => {
    const broken = { ...plan, input: { ...plan.input, layout: { kind: 'multiplexed' } } }
    const parsed = parsePlan(JSON.stringify({ ...broken, id: planDigest(broken) }))
    expect(() => inputLayoutOf(parsed)).toThrow(HeMlError)
  })
})
