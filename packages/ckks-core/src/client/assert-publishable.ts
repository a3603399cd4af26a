import { UnsupportedError } from '../errors/errors.ts'
import type { ClientEngine } from './client-engine.ts'

/** @throws UnsupportedError for an engine whose errors the plan's model does not bound */
export function assertPublishable({ name, errorsWithinPlan }: Pick<ClientEngine, 'name' | 'errorsWithinPlan'>): void {
  if (errorsWithinPlan) return
  throw new UnsupportedError(
    `publication: the ${name} engine does not keep its errors within the plan's bound (a part of them depends on the key and is the same every time), so no noise is known to hide them: keep the result private, or plan, run and publish with the native engine`,
  )
}
