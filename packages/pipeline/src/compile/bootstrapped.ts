/** Parameters, levels and bootstraps of a network that refreshes its ciphertexts. */
import { type BootstrappingSet, type CostModel, HeMlError, type Parameters, PlanError } from '@he-ml/ckks-core'
import type { Model } from '@he-ml/model'
import { imagesPerTensor } from '@he-ml/packing'
import type { PlanBootstrapping } from '../plan/plan-form.ts'
import type { GapPolicy, Network } from '../program/network.ts'
import { assertMemoryPossible } from './least-memory.ts'
import { type Chosen, layoutFor } from './leveled.ts'
import { lowerModel } from './lower-model.ts'
import type { CompileOptions } from './options.ts'
import type { PackedOptions } from './packings.ts'
import { type NetworkPlacement, NetworkPlacer } from './place-network.ts'

/** What placing needs beside the model. */
export interface BootstrappedRequest {
  /** With polynomials, folded. */
  readonly model: Model
  readonly sets: readonly BootstrappingSet[]
  /** Range of each value that may be bootstrapped; see valueRanges. */
  readonly ranges: ReadonlyMap<string, number>
  readonly options: PackedOptions
  readonly costModel: CostModel
  /** Placements that take no fewer seconds than this are of no use. */
  readonly below?: number
}

/** States of the search that tells which set is worth the whole one; deep chains and residual networks never have more. */
const ROUGH_STATES = 1000

/**
 * All placements that are possible, the fastest first: for every set, with gaps as readers want them and with clean ones,
 * first with inputs as high as the parameters allow, then (for those who lack memory) no higher than a bootstrap's result. Which is the
 * fastest a rough search tells; the whole one is made for those that are asked for.
 *
 * @throws PlanError ('range') without statistics, ('levels') when no placement exists, ('memory') when none can fit; UnsupportedError when no layout fits
 */
export async function* placements(request: BootstrappedRequest): AsyncIterable<Chosen> {
  const known = new Map<number, Lowerings>()
  const networks = withinMemory(
    request.sets.flatMap((set) => lowerFor(set, request, known)),
    request.options.memory,
  )
  let found = false
  for (const capped of [false, true]) {
    const candidates: { readonly network: Candidate; readonly placed: NetworkPlacement }[] = []
    for (const network of networks) {
      const placed =
        (await placeOne(network, request, { capped, mostStates: ROUGH_STATES })) ??
        (await placeOne(network, request, { capped }))
      if (placed && placed.seconds < (request.below ?? Number.POSITIVE_INFINITY)) candidates.push({ network, placed })
    }
    candidates.sort((a, b) => a.placed.seconds - b.placed.seconds)
    for (const { network, placed } of candidates) {
      found = true
      const whole = placed.exact ? undefined : await placeOne(network, request, { capped })
      yield choice(network, whole && whole.seconds < placed.seconds ? whole : placed)
    }
  }
  if (!found) throw noPlacement(request, networks)
}

/** Where the range of a value is not known, that may be the reason; levels are it otherwise. */
function noPlacement({ model, ranges }: BootstrappedRequest, networks: readonly Candidate[]): PlanError {
  const levels = [...new Set(networks.map((n) => n.placer.outputLevel))].join(' or ')
  const unknown = model.nodes.map(({ name }) => name).filter((name) => !ranges.has(name))
  if (unknown.length === 0)
    return new PlanError(
      'levels',
      `no placement of bootstraps: a layer, or layers between which no value may be bootstrapped, need more levels than ${levels}: lower the option activation.degree, or give the option bootstrapping.levels more levels between two bootstraps`,
    )
  const named = unknown.slice(0, 5).map((name) => `"${name}"`)
  const more = unknown.length > named.length ? ` and ${unknown.length - named.length} more` : ''
  return new PlanError(
    'range',
    `no placement of bootstraps: the calibration tells no range of ${named.join(', ')}${more} (not seen, or always 0), so these values cannot be refreshed, and what lies between others needs more than ${levels} levels: pass what fit(model, data) gives for this very model as the option calibration, or lower the option activation.degree`,
  )
}

interface Candidate {
  readonly parameters: Parameters
  readonly placer: NetworkPlacer
  readonly lowered: Network
  readonly batch: number
}

/** Those that memory does not rule out. @throws PlanError ('memory') when none is left */
function withinMemory(networks: readonly Candidate[], limit: number | undefined): Candidate[] {
  let refused: unknown
  const possible = networks.filter(({ lowered, parameters }) => {
    try {
      assertMemoryPossible(lowered, parameters, limit)
      return true
    } catch (error) {
      refused = error
      return false
    }
  })
  if (possible.length === 0 && refused) throw refused
  return possible
}

/** The network as it lies in rings of one size, whichever the set. */
interface Lowerings {
  readonly batch: number
  /** One for each policy of gaps that makes a difference. */
  readonly networks: readonly Network[]
}

/** @throws UnsupportedError when no layout fits */
function lowerings({ model, options }: BootstrappedRequest, maxSlots: number): Lowerings {
  const layout = layoutFor(model, options, maxSlots)
  const policies: GapPolicy[] = layout.kind === 'batch' ? ['wanted'] : ['wanted', 'zero']
  const [first, ...others] = policies.map((gaps) =>
    lowerModel(model, layout, maxSlots, { gaps, ...(options.tile ? { tile: options.tile } : {}) }),
  ) as [Network]
  return { batch: imagesPerTensor(layout), networks: [first, ...others.filter((other) => !lieAlike(other, first))] }
}

/**
 * Both ways of lowering under one set; throws the reason when the last set does not fit either.
 * @param known by slots
 */
function lowerFor(set: BootstrappingSet, request: BootstrappedRequest, known: Map<number, Lowerings>): Candidate[] {
  const { parameters, spec } = set
  const { maxSlots } = parameters
  try {
    const { batch, networks } = known.get(maxSlots) ?? lowerings(request, maxSlots)
    known.set(maxSlots, { batch, networks })
    const placer = new NetworkPlacer(parameters, spec, request.costModel)
    return networks.map((lowered) => ({ parameters, placer, batch, lowered }))
  } catch (error) {
    if (!(error instanceof HeMlError) || set === request.sets.at(-1)) throw error
    return []
  }
}

/** Whether both leave every value in the same places, gaps included: then they are one network. */
const lieAlike = (a: Network, b: Network): boolean =>
  JSON.stringify([...a.layouts.entries()]) === JSON.stringify([...b.layouts.entries()])

function placeOne(
  { parameters, placer, lowered }: Candidate,
  { ranges, options }: BootstrappedRequest,
  { capped, mostStates }: { readonly capped: boolean; readonly mostStates?: number },
): Promise<NetworkPlacement | undefined> {
  return placer.place(lowered, {
    ranges,
    outputLevel: lowestOutput(parameters, placer, options),
    inputLevel: capped ? placer.outputLevel : parameters.maxLevel,
    ...(mostStates === undefined ? {} : { mostStates }),
  })
}

/** The lowest level whose modulus holds the largest result. @throws PlanError when none does */
function lowestOutput(parameters: Parameters, placer: NetworkPlacer, { calibration }: CompileOptions): number {
  const largest = calibration?.outputMagnitude ?? 0
  for (let level = 0; level <= placer.outputLevel; level++)
    if (Math.log2(largest) < parameters.logQAt(level) - Math.log2(parameters.scaleAt(level)) - 1) return level
  throw new PlanError(
    'range',
    `results of up to ${largest.toPrecision(3)} were seen, more than the moduli hold: scale the last layer down`,
  )
}

function choice({ parameters, lowered, batch }: Candidate, { program, steps, exact }: NetworkPlacement): Chosen {
  const bootstrapping: PlanBootstrapping = {
    circuits: program.circuits.map(({ bootstrapping: { spec }, ranges, ...rest }) => ({
      spec,
      ranges: [...ranges],
      ...rest,
    })),
    exact,
  }
  return { parameters, network: lowered, steps, program, batch, bootstrapping }
}
