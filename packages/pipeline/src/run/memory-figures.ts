import { type MemoryFigures, madeBytes, RESIDUE_BYTES } from '../execute/memory-figures.ts'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { inputCiphertexts } from '../program/program.ts'

export interface FigureOptions {
  /** Whether a store keeps the books of keys. */
  readonly keysApart: boolean
  /** Of the engine: each makes limbs of deferred weights. Default 1. */
  readonly threads?: number
}

/** Bytes of what a plan's tasks use, as the simulation found them. */
export function memoryFigures(
  { plan, parameters, program }: BoundPlan,
  { keysApart, threads = 1 }: FigureOptions,
): MemoryFigures {
  const { keys, memory } = plan.report
  const work = new Map(program.tasks.map(({ id }, i) => [id, plan.tasks[i]!.workBytes]))
  const bytesOf = (ciphertexts: number, level: number): number =>
    ciphertexts * 2 * parameters.limbsAt(level) * parameters.ringDegree * RESIDUE_BYTES
  const inputBytes = bytesOf(inputCiphertexts(program.input), program.input.level)
  return {
    weightBytes: (id, deferred) => {
      const kept = deferred ? plan.deferredWeights[id] : undefined
      return kept === undefined ? (plan.weights[id] ?? 0) : kept + madeBytes(kept, threads)
    },
    workBytes: ({ id }) => work.get(id)!,
    valueBytes: (id) => {
      const { part, level } = program.values.get(id)!
      return bytesOf(part.count, level)
    },
    fixed: memory.scratchBytes + inputBytes + (keysApart ? 0 : keys.bytes),
    inputBytes,
  }
}
