import { HeMlError, PlanError } from '@he-ml/ckks-core'

/** What a command that failed says with `--json`: one document on stdout, as one that did its work. */
export function errorDocument(failure: unknown, exitCode: number): string {
  const { name = 'Error', message = String(failure) } = (failure ?? {}) as { name?: string; message?: string }
  const error = {
    name,
    message,
    exitCode,
    ...(failure instanceof HeMlError ? { code: failure.code } : {}),
    ...(failure instanceof PlanError ? { reason: failure.reason } : {}),
  }
  return JSON.stringify({ error }, null, 2)
}
