import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Tensor } from '@he-ml/model'

/** @throws InvalidArgumentError for one tensor, or whatever else is no sequence of them */
export function assertIterable(call: string, inputs: Iterable<Tensor>): void {
  if (typeof (inputs as Partial<Iterable<Tensor>> | null | undefined)?.[Symbol.iterator] === 'function') return
  throw new InvalidArgumentError(
    `${call}: expected a list of tensors, or another sequence of them: put one into a list`,
  )
}
