/** One run looked at from inside, with keys made for it: what the owner of the secret key can see and the server cannot. */
import type { Model, Tensor } from '@he-ml/model'
import type { BoundPlan } from '@he-ml/pipeline'
import { diffRun } from '@he-ml/session/diff'
import { stopping } from '../progress.ts'
import { type SessionOptions, withSessions } from '../session.ts'
import { cellsOf } from './cells.ts'
import { clearNeurons } from './clear-neurons.ts'
import { DecryptedValues } from './decrypted-values.ts'
import { examine, type LayerLook } from './examine.ts'

/**
 * Runs one input and decrypts every value that is read again.
 *
 * @param model that the plan was made for
 * @throws MemoryError when the plan does not fit `memory`; CancelledError through the signal
 */
export function lookInside(
  bound: BoundPlan,
  model: Model,
  input: Tensor,
  options: SessionOptions,
): Promise<LayerLook[]> {
  return withSessions(bound, options, async ({ client, server }) => {
    using running = stopping(options.startBar('run from inside'))
    const values = new DecryptedValues()
    await diffRun(bound, [input], {
      ...{ client, server, signal: options.signal },
      onTensors: (value) => values.add(value),
      onProgress: ({ fraction, layer }) => running.update(fraction, layer),
    })
    const exact = bound.plan.functional !== undefined
    return examine(clearNeurons(model, input, exact), cellsOf(bound.model), values, exact)
  })
}
