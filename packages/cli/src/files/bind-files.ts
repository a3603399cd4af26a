import type { Model } from '@he-ml/model'
import { type BoundPlan, bindPlan, type Plan } from '@he-ml/pipeline'
import { aboutFiles } from './about-file.ts'

/** A plan and a model that were read from files, bound. @throws what `bindPlan` does, naming both files */
export const bindFiles = (
  plan: Plan,
  model: Model,
  paths: { readonly plan: string; readonly model: string },
): Promise<BoundPlan> =>
  aboutFiles({ [paths.plan]: 'the plan', [paths.model]: 'the model' }, () => bindPlan(plan, model))
