/** Bootstraps in lock step: where plans have them, what they cost, and that results do not depend on them. */
import { FormatError, PlanError } from '@he-ml/ckks-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { bindPlan } from '../bind/bind-plan.ts'
import { clearStage, compileInsecure, deepChain, type Editable, images } from '../pipeline.test-helper.ts'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { parsePlan, planDigest } from '../plan/plan.ts'
import type { Plan } from '../plan/plan-form.ts'
import { isRefresh } from '../program/task.ts'
import { fit } from '../ready/fit.ts'
import { Runner } from '../run/run.ts'
import { compile } from './compile.ts'
import type { CompileOptions } from './options.ts'
import { togetherOf } from './together.ts'

const model = deepChain(5)

describe('bootstraps of a refresh', () => {
  let options: CompileOptions
  let together: BoundPlan
  let alone: BoundPlan
  beforeAll(async () => {
    const calibration = await fit(model, images(20))
    options = { calibration, activation: { degree: 7, margin: 1.3 }, packing: 'batch', batch: 4 }
    together = await compileInsecure(model, 5, options)
    alone = await compileInsecure(model, 5, { ...options, memory: together.plan.report.memory.peakBytes - 1 })
  })
  const refreshes = ({ plan, program }: BoundPlan) =>
    program.tasks.flatMap((task, i) =>
      isRefresh(task) ? [{ task, ...plan.tasks[i]!, ...plan.report.layers[i]! }] : [],
    )

  it('go together where there are several, unless memory lacks for that alone', () => {
    expect(together.plan.bootstrapping!.circuits.map((circuit) => circuit.together)).toEqual([2])
    expect(Math.max(...together.plan.report.layers.map(({ refresh }) => refresh?.bootstraps ?? 0))).toBeGreaterThan(1)
    expect(alone.plan.bootstrapping!.circuits.map((circuit) => 'together' in circuit)).toEqual([false])
    expect(refreshes(together).map(({ task }) => task.refresh.together)).toEqual(refreshes(together).map(() => 2))
    expect(refreshes(alone).map(({ task }) => task.refresh.together)).toEqual(refreshes(alone).map(() => 1))
    expect(togetherOf([1, 1])).toEqual({})
    expect(togetherOf([1, 3])).toEqual({ together: 2 })
  })

  it('take less time and more memory together, with the same keys and the same precision', () => {
    const [two, one] = [together.plan, alone.plan]
    expect(two.keyRequest).toEqual(one.keyRequest)
    expect(two.report.precisionBits).toBe(one.report.precisionBits)
    expect([two.keepWeights, one.keepWeights]).toEqual([true, true])
    expect(two.report.memory.scratchBytes).toBeGreaterThan(1.5 * one.report.memory.scratchBytes)
    expect(two.report.memory.peakBytes).toBeGreaterThan(one.report.memory.peakBytes)
    for (const [i, refresh] of refreshes(together).entries()) {
      const other = refreshes(alone)[i]!
      if (refresh.refresh!.bootstraps === 1) expect(refresh.seconds).toBeCloseTo(other.seconds, 12)
      else expect(refresh.seconds).toBeLessThan(other.seconds)
      expect(refresh.workBytes).toBeGreaterThanOrEqual(other.workBytes)
    }
  })

  it('are one by one before weights would be dropped, and where nothing else fits', async () => {
    const { leanPeakBytes } = together.plan.report.memory
    const lean = await compileInsecure(model, 5, { ...options, memory: leanPeakBytes - 1, keepWeights: false })
    expect(lean.plan.bootstrapping!.circuits[0]!.together).toBeUndefined()
    const room = await compileInsecure(model, 5, { ...options, memory: leanPeakBytes, keepWeights: false })
    expect(room.plan.bootstrapping!.circuits[0]!.together).toBe(2)
    await expect(compileInsecure(model, 5, { ...options, memory: leanPeakBytes / 2 })).rejects.toThrow(PlanError)
  })

  it('give the same values as one by one', async () => {
    const run = async (bound: BoundPlan) => {
      const stage = clearStage(bound)
      const output = await new Runner(bound, stage.engine).run(await stage.encrypt(images(3, 7)))
      return stage.decrypt(output, 3)
    }
    expect(await run(together)).toEqual(await run(alone))
  })

  it('stay as a plan says: one of an earlier version says nothing', async () => {
    const secure = await compile(model, { ...options, bootstrapping: { set: 'N16-B10' } })
    expect(secure.bootstrapping!.circuits.map((circuit) => circuit.together)).toEqual([2])
    const said = (value?: number) => {
      const copy = structuredClone(secure) as Editable<Plan>
      const circuit: { together?: number } = copy.bootstrapping!.circuits[0]!
      if (value === undefined) delete circuit.together
      else circuit.together = value
      const plan = parsePlan(JSON.stringify({ ...copy, id: planDigest(copy as Plan) }))
      const { program } = bindPlan(plan, model)
      return new Set(program.tasks.filter(isRefresh).map(({ refresh }) => refresh.together))
    }
    expect([said(), said(1), said(2), said(3)]).toEqual([new Set([1]), new Set([1]), new Set([2]), new Set([3])])
    for (const wrong of [0, 1.5, 17, -1]) expect(() => said(wrong)).toThrow(FormatError)
  })
})
