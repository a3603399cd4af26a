import { HeMlError, PlanError } from '@he-ml/ckks-core'

/**
 * What a command that failed says with `--json`: one document on stdout, as one that did its work.
 * @param results what was done before, of a command of several inputs
 */
export function errorDocument(failure: unknown, exitCode: number, results?: readonly unknown[]): string {
  const { name = 'Error', message = String(failure) } = (failure ?? {}) as { name?: string; message?: string }
  const error = {
    name,
    message,
    exitCode,
    ...(failure instanceof HeMlError ? { code: failure.code } : {}),
    ...(failure instanceof PlanError ? { reason: failure.reason } : {}),
  }
  return JSON.stringify({ error, ...(results ? { results } : {}) }, null, 2)
}
