/**
 * The order in which tiles of a batch run: depth first, as far as the sub-batches that are there allow, so that little waits for
 * others. What a merge reads are the tiles just made.
 */
import { type Network, tilesOf } from './network.ts'
import { isPlacedRefresh, type PlacedStep } from './placed-step.ts'

/**
 * Steps for one tile of each value, repeated for all tiles.
 * @param steps in the order of the network, whose nodes with more tiles come first
 */
export function inTiles<S extends PlacedStep>(network: Network, steps: readonly S[]): S[] {
  const byTiles = new Map<number, S[]>()
  const nodes = new Map(network.nodes.map((node) => [node.name, node]))
  for (const step of steps) {
    const tiles = isPlacedRefresh(step) ? tilesOf(network, step.values[0]!) : (nodes.get(step.layer)?.tiles ?? 1)
    byTiles.set(tiles, [...(byTiles.get(tiles) ?? []), step])
  }
  const counts = [...byTiles.keys()].sort((a, b) => b - a)
  const ordered: S[] = []
  const emit = (stage: number, tile: number): void => {
    const tiles = counts[stage]!
    const each = stage === 0 ? 0 : counts[stage - 1]! / tiles
    for (let i = 0; i < each; i++) emit(stage - 1, tile * each + i)
    for (const step of byTiles.get(tiles)!) ordered.push(tiles === 1 ? step : { ...step, tile })
  }
  const last = counts.length - 1
  for (let tile = 0; tile < (counts[last] ?? 0); tile++) emit(last, tile)
  return ordered
}
