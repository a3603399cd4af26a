/** Whether arguments are plans, bound or not, by what they have. */
import { type OptionCheck, optionCheck } from '@he-ml/ckks-core'
import { modelCheck } from '@he-ml/model'
import type { BoundPlan } from './bound-plan.ts'
import type { Plan } from './plan-form.ts'

const isObject = (value: unknown): value is Partial<Record<string, unknown>> => optionCheck.object(value) === undefined
const isPlan = (value: unknown): value is Plan =>
  isObject(value) && value.format === 'he-ml/plan' && isObject(value.parameters) && isObject(value.input)
const isBound = (value: unknown): value is BoundPlan =>
  isObject(value) &&
  isPlan(value.plan) &&
  isObject(value.parameters) &&
  isObject(value.program) &&
  modelCheck.model(value.model) === undefined

/** Kinds of arguments. */
export const planCheck = Object.freeze({
  /** A {@link Plan}. */
  plan: ((value) => {
    if (isPlan(value)) return undefined
    return isBound(value)
      ? 'a plan: take the field plan of the bound one that was given'
      : 'a plan, as compile or parsePlan gives one'
  }) as OptionCheck,
  /** A {@link BoundPlan}. */
  bound: ((value) => {
    if (isBound(value)) return undefined
    return isPlan(value)
      ? 'a bound plan: bind the one that was given to its model with bindPlan'
      : 'a bound plan, as compileAndBind or bindPlan gives one'
  }) as OptionCheck,
})
