import { type AnyParameters, ParameterMismatchError } from '@he-ml/ckks-core'

/** @throws ParameterMismatchError for an engine that was made for other parameters than its plan's */
export function assertParameters(
  side: 'client' | 'server',
  { parameters: { id } }: { readonly parameters: AnyParameters },
  wanted: AnyParameters,
): void {
  if (id === wanted.id) return
  throw new ParameterMismatchError(
    `the ${side}'s engine has the parameters ${id}, the plan has ${wanted.id}: make it with those of the plan (parametersOf)`,
  )
}
