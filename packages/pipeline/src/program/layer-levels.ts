/** Levels of layers, and the functional bootstraps of those that refresh what they compute. */
import { FormatError, type Level } from '@he-ml/ckks-core'
import type { LayerRefresh, LoweredLayer } from '@he-ml/packing'
import type { ProgramFunctional } from './program.ts'

/** Index of the circuit that a layer asks for. @throws FormatError when there is none */
export function functionalOf(name: string, refresh: LayerRefresh, functionals: readonly ProgramFunctional[]): number {
  const { slots, content, period, functionLevels } = refresh
  const found = functionals.findIndex(
    ({ functional: { spec }, periods }) =>
      spec.slots === slots &&
      spec.content === content &&
      spec.functionLevels >= functionLevels &&
      periods.includes(period),
  )
  if (found >= 0) return found
  throw new FormatError(
    `plan: layer "${name}" refreshes ${slots} slots (${content}) with the period ${period} and ${functionLevels} levels for its functions: no circuit does`,
  )
}

/** The lowest level at which a layer can read its inputs, and the level of its results when it does so at `level`. */
export function layerLevels(
  { name, depth, refresh }: LoweredLayer,
  functionals: readonly ProgramFunctional[],
): { readonly needs: Level; readonly gives: (level: Level) => Level } {
  if (!refresh) return { needs: depth, gives: (level) => level - depth }
  const { functional } = functionals[functionalOf(name, refresh, functionals)]!
  return { needs: functional.inputLevel + depth, gives: () => functional.outputLevel }
}
