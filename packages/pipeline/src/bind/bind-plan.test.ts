/** Binding restores what a plan decided and fits nothing. */
import { FormatError } from '@he-ml/ckks-core'
import type { Model } from '@he-ml/model'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { compileAndBind } from '../compile/compile.ts'
import { approximate, deepChain, type Editable, images, residual, smallCnn } from '../pipeline.test-helper.ts'
import { parsePlan, planDigest } from '../plan/plan.ts'
import type { Plan } from '../plan/plan-form.ts'
import { fit } from '../ready/fit.ts'
import { bindPlan } from './bind-plan.ts'

const fitting = vi.hoisted(() => ({ allowed: true, calls: 0 }))

// every way to a polynomial goes through this function
vi.mock('../../../activations/src/approximate.ts', async (original) => {
  const library = await original<typeof import('../../../activations/src/approximate.ts')>()
  const approximate: typeof library.approximate = (...args) => {
    fitting.calls++
    if (!fitting.allowed) throw new Error('this library fits otherwise')
    return library.approximate(...args)
  }
  return { ...library, approximate }
})
afterEach(() => {
  fitting.allowed = true
})

const compiled = async (model: Model, options = {}) =>
  compileAndBind(model, {
    calibration: await fit(model, images(10)),
    activation: { degree: 7, margin: 1.3 },
    ...options,
  })

/** What two bound models compute. */
const sameFunction = (a: Model, b: Model): void => {
  for (const image of images(3, 50)) expect(approximate(a, image)).toEqual(approximate(b, image))
}

describe('a plan bound by a library that fits otherwise', () => {
  it.each([
    ['one activation and a pool', () => smallCnn('relu'), { scaleBits: 30 }],
    ['residual stages', () => residual(2), { bootstrapping: { set: 'N15-B4' } }],
    ['bootstraps', () => deepChain(6), { bootstrapping: { set: 'N15-B4' } }],
  ] as const)('computes the same, and nothing was fitted: %s', async (_, make, options) => {
    const bound = await compiled(make(), options)
    const text = JSON.stringify(bound.plan)
    expect(fitting.calls).toBeGreaterThan(0)
    const before = fitting.calls
    fitting.allowed = false
    const again = bindPlan(parsePlan(text), make())
    expect(fitting.calls).toBe(before)
    sameFunction(again.model, bound.model)
    const forms = ({ model }: typeof bound) =>
      model.nodes.flatMap(({ layer }) => ('fittedForm' in layer ? [layer.fittedForm] : []))
    expect(forms(again)).toEqual(forms(bound))
    const steps = ({ program }: typeof bound) =>
      program.tasks.map(({ id, level, weights, keys }) => [id, level, weights, keys])
    expect(steps(again)).toEqual(steps(bound))
  })
})

describe('a plan whose function was changed', () => {
  const changed = async (edit: (plan: Editable<Plan>) => unknown) => {
    const { plan } = await compiled(smallCnn('relu'), { scaleBits: 30 })
    const copy: Editable<Plan> = JSON.parse(JSON.stringify(plan))
    edit(copy)
    return copy
  }
  const coefficients = (plan: Editable<Plan>): number[] =>
    (plan.decided.fitted.act!.polynomial as { series: { coefficients: number[] } }).series.coefficients

  it('by a coefficient or a factor is refused by its id', async () => {
    for (const edit of [
      (plan: Editable<Plan>) => coefficients(plan).splice(3, 1, coefficients(plan)[3]! * (1 + 2 ** -50)),
      (plan: Editable<Plan>) => Object.assign(plan.decided.factors, { conv: 2 * plan.decided.factors.conv! }),
      (plan: Editable<Plan>) => plan.decided.relieved.pop(),
    ])
      await expect(changed(edit).then((plan) => parsePlan(JSON.stringify(plan)))).rejects.toThrow(/content hash/)
  })
  it('with the hash made right does not bind when it makes no sense', async () => {
    for (const [edit, message] of [
      [(plan) => delete plan.decided.fitted.act, /does not tell what "act" was fitted to/],
      [(plan) => coefficients(plan).push(1), /field "degree"/],
      [(plan) => coefficients(plan).splice(0, 1, Number.NaN), /finite coefficients/],
      [(plan) => delete plan.decided.factors.conv, /its factors do not fit the model/],
      [(plan) => plan.decided.relieved.push('conv'), /its factors do not fit the model/],
      [(plan) => Object.assign(plan.decided.fitted, { conv: {} }), /was fitted to, which is no activation/],
      [(plan) => Object.assign(plan.decided.factors, { cnov: 1 }), /a factor for "cnov", which is no value/],
      [(plan) => Object.assign(plan.decided.factors, { conv: -1 }), /factor of "conv" must be positive, got -1/],
      [(plan) => plan.decided.relieved.push('cnov'), /"cnov" gave its constant .* no node of the model/],
      [(plan) => plan.decided.relieved.push(...plan.decided.relieved), /or is named twice/],
      [(plan) => Object.assign(plan.decided, { sumsOverTime: true }), /the model's readout is 'last'/],
      [(plan) => Object.assign(plan.decided.factors, { fc: 2 }), /the factor of the output "fc" must be 1, got 2/],
      [(plan) => Object.assign(plan.decided.factors, { image: 2 }), /the input "image" is held as it is/],
      [(plan) => Object.assign(plan.input.layout.grid as object, { gaps: 'any' }), /input lies elsewhere/],
      [(plan) => Object.assign(plan.input.layout, { gaps: 'any' }), /unknown field "gaps"/],
      [(plan) => Object.assign(plan.input, { scale: plan.input.scale * 2 }), /input has a scale of 2\^/],
      [(plan) => Object.assign(plan.output, { scale: plan.output.scale / 2 }), /result has a scale of 2\^/],
      [(plan) => Object.assign(plan.model, { input: [2, 8, 4] }), /input of shape \[2,8,4\]/],
      [(plan) => Object.assign(plan.model, { output: [7] }), /output of shape \[7\]/],
      [(plan) => Object.assign(plan.decided.fitted.act!, { inputFactor: 0 }), /finite factor other than 0/],
      [(plan) => (plan.report.layers as unknown[]).pop(), /reports \d+ layers and refreshes of \d+/],
      [(plan) => Object.assign(plan.input, { frames: 1 }), /takes 1 frames, the model's input is 'static'/],
    ] as [(plan: Editable<Plan>) => unknown, RegExp][]) {
      const plan = await changed(edit)
      const text = JSON.stringify({ ...plan, id: planDigest(JSON.parse(JSON.stringify(plan))) })
      const bind = () => bindPlan(parsePlan(text), smallCnn('relu'))
      expect(bind).toThrow(FormatError)
      expect(bind).toThrow(message)
    }
  })
})
