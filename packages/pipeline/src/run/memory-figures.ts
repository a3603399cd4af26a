import type { MemoryFigures } from '../execute/memory-figures.ts'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { inputCiphertexts } from '../program/program.ts'

/** Bytes of a residue in memory. */
const RESIDUE_BYTES = 8

/** Bytes of what a plan's tasks use, as the simulation found them. @param keysApart whether a store keeps the books of keys */
export function memoryFigures({ plan, parameters, program }: BoundPlan, keysApart: boolean): MemoryFigures {
  const { keys, memory } = plan.report
  const work = new Map(program.tasks.map(({ id }, i) => [id, plan.tasks[i]!.workBytes]))
  const bytesOf = (ciphertexts: number, level: number): number =>
    ciphertexts * 2 * parameters.limbsAt(level) * parameters.ringDegree * RESIDUE_BYTES
  const inputBytes = bytesOf(inputCiphertexts(program.input), program.input.level)
  return {
    weightBytes: (id, deferred) => (deferred ? plan.deferredWeights[id] : undefined) ?? plan.weights[id] ?? 0,
    workBytes: ({ id }) => work.get(id)!,
    valueBytes: (id) => {
      const { part, level } = program.values.get(id)!
      return bytesOf(part.count, level)
    },
    fixed: memory.scratchBytes + inputBytes + (keysApart ? 0 : keys.bytes),
    inputBytes,
  }
}
