/**
 * A linear map on a channel layout: hoisted rotations of each input channel, a mask for those copies that need one, and all
 * output channels of a group as matrix products of the copies by scalars; one rescale, then the bias. One level. Of a batch of several
 * groups of ciphertexts each two go through as the real and the imaginary half of one.
 */
import { type Ciphertext, type LazySlotValues, type Plaintext, Scope, scope } from '@he-ml/ckks-core'
import {
  type ChannelLayout,
  type Circuit,
  type CircuitContext,
  type CircuitEngine,
  channelCiphertexts,
  ciphertextGroups,
  createLowered,
  type LowerContext,
  type LoweredLayer,
  type PrepareContext,
} from '@he-ml/packing'
import { groupSizes, type LinearMap, linearGain } from '../linear-map/linear-map.ts'
import { atElements, slotVector } from '../lowered/channel-positions.ts'
import { type ChannelPlan, planChannel } from './channel-plan.ts'
import { putChannel, stepIn, takeChannels, unfolded } from './fold.ts'
import { carry, halved, halvesOf, lanesOf } from './lanes.ts'
import { type ChannelCopies, linksOf } from './links.ts'
import { type ScaleSplit, splitScale } from './scale-split.ts'

/** Rows of one matrix product at most: a call should not be long. */
const MAX_ROWS = 32

/**
 * @param map over the layout's own channels, rows and columns
 * @throws UnsupportedError when the output does not fit, or weights depend on the place differently for each channel
 */
export function lowerChannelLinear(
  map: LinearMap,
  input: ChannelLayout,
  { gaps = 'zero', groups = ciphertextGroups(input), pairs = true }: LowerContext,
): LoweredLayer {
  const plan = planChannel(map, unfolded(input), { wanted: gaps, groups })
  return createLowered({
    name: map.name,
    inputs: [input],
    output: plan.output,
    depth: 1,
    errorGain: linearGain(map),
    prepare: (context) => prepareChannel({ plan, input, pairs }, context),
  })
}

interface Encoded {
  readonly split: ScaleSplit
  /** One per tap. */
  readonly masks: readonly (Plaintext | undefined)[]
  readonly resultMask: Plaintext | undefined
  /** One per ciphertext of a group of the result, where the bias is kept out of the gaps. */
  readonly biases: readonly (Plaintext | undefined)[]
}

interface ChannelLinear {
  readonly plan: ChannelPlan
  readonly input: ChannelLayout
  /** Whether groups of ciphertexts may go two at a time. */
  readonly pairs: boolean
}

async function prepareChannel(
  { plan, input, pairs }: ChannelLinear,
  { engine, level, weights, pacer }: PrepareContext,
): Promise<Circuit> {
  const { taps, place, output, map, masksResults, cleanBias } = plan
  // an odd group that goes alone has weights twice as large: whatever holds the halves holds these
  const used = pairs && ciphertextGroups(input) > 1 ? halved(plan) : plan
  const split = splitScale(used, engine.parameters, level)
  const encode = (values: LazySlotValues, at: number, scale: number): Plaintext =>
    weights.use(engine.encode(values, { level: at, scale }))
  const masks: (Plaintext | undefined)[] = []
  for (const { mask } of taps) {
    await pacer.step()
    masks.push(mask && encode(slotVector(place, mask), level, split.mask))
  }
  const resultMask = masksResults
    ? encode(
        atElements(place, () => 1, 0),
        level,
        split.mask,
      )
    : undefined
  const biases: (Plaintext | undefined)[] = []
  for (let i = 0; cleanBias && i < channelCiphertexts(output.image[0], output); i++) {
    await pacer.step()
    const scale = engine.parameters.scaleAt(level - 1)
    const bias = atElements(output, (channel) => map.bias![channel]!, i)
    biases.push(bias.magnitude === 0 ? undefined : encode(bias, level - 1, scale))
  }
  const encoded: Encoded = { split, masks, resultMask, biases }
  return async (context) => {
    const results: Ciphertext[] = []
    for (const lane of lanesOf(input, context.inputs[0]!, pairs)) {
      const parts = await runLane({ plan: lane.length === 2 ? halved(plan) : plan, input, encoded, lane }, context)
      for (const part of parts) results.push(...part)
    }
    return results
  }
}

interface Lane {
  readonly plan: ChannelPlan
  readonly input: ChannelLayout
  readonly encoded: Encoded
  /** Ciphertexts of one group, or of two that travel as one. */
  readonly lane: readonly (readonly Ciphertext[])[]
}

/** All channels of one group of ciphertexts, or of two as the real and the imaginary half of one. @returns results of each */
async function runLane({ plan, input, encoded, lane }: Lane, context: CircuitContext): Promise<Ciphertext[][]> {
  const { engine, pacer, temporaries } = context
  const carried = await carry(lane, context)
  const sums: Ciphertext[] = []
  for (let group = 0; group < plan.map.groups; group++)
    await runGroup({ plan, input, encoded, group, ciphertexts: carried, results: sums }, context)
  if (lane.length === 2) for (const ciphertext of carried) ciphertext.dispose()
  const results: Ciphertext[][] = lane.map(() => [])
  for (const [place, sum] of sums.entries()) {
    await pacer.step()
    const parts = halvesOf(engine, sum, lane.length)
    if (parts.length === 2) sum.dispose()
    for (const [i, part] of parts.entries()) {
      results[i]!.push(temporaries.use(withBias(engine, part, { plan, encoded, place })))
      part.dispose()
    }
  }
  return results
}

interface Group {
  readonly plan: ChannelPlan
  readonly input: ChannelLayout
  readonly encoded: Encoded
  readonly group: number
  readonly ciphertexts: readonly Ciphertext[]
  /** Of all groups: what is there, in its places. */
  readonly results: Ciphertext[]
}

async function runGroup(
  { plan, input, encoded, group, ciphertexts, results }: Group,
  { engine, pacer, temporaries }: CircuitContext,
): Promise<void> {
  const { outputs, inputs: channels } = groupSizes(plan.map)
  const totals: Ciphertext[] = []
  for (const { copies, weights } of linksOf(plan, group, encoded.split.weight)) {
    const made = new Scope()
    const columns: Ciphertext[] = []
    temporaries.use(made)
    const read = copies.map(({ channel }) => group * channels + channel)
    const taken = takeChannels(engine, ciphertexts, input, read)
    for (const { ciphertext, isOwn } of taken.values()) if (!isOwn) made.use(ciphertext)
    for (const [i, wanted] of copies.entries()) {
      await pacer.step()
      const { ciphertext } = taken.get(read[i]!)!
      columns.push(...makeCopies(plan, encoded, { engine, input: ciphertext, wanted, made }))
    }
    for (let first = 0; first < outputs; first += MAX_ROWS) {
      await pacer.step()
      const matrix = weights(first, Math.min(MAX_ROWS, outputs - first))
      for (const [i, product] of engine.matrixProduct(columns, matrix, encoded.split.weight).entries()) {
        const before = totals[first + i]
        totals[first + i] = temporaries.use(product)
        if (!before) continue
        totals[first + i] = temporaries.use(engine.add(before, product))
        before.dispose()
        product.dispose()
      }
    }
    made.dispose()
  }
  for (const [row, total] of totals.entries()) {
    await pacer.step()
    temporaries.use(finish(engine, total, { plan, encoded, channel: group * outputs + row, results }))
    total.dispose()
  }
}

interface Making {
  readonly engine: CircuitEngine
  readonly input: Ciphertext
  readonly wanted: ChannelCopies
  readonly made: Scope
}

/** Rotated and masked copies of one channel, all of one scale. */
function makeCopies(
  { taps, masksResults }: ChannelPlan,
  { split, masks }: Encoded,
  { engine, input, wanted, made }: Making,
): Ciphertext[] {
  const steps = [...new Set(wanted.taps.map((tap) => taps[tap]!.step))].filter((step) => step !== 0)
  const moved = steps.length > 0 ? engine.rotateHoisted(input, steps) : []
  const rotated = new Map(moved.map((copy, i) => [steps[i]!, made.use(copy)]))
  return wanted.taps.map((tap) => {
    const copy = rotated.get(taps[tap]!.step) ?? input
    const mask = masks[tap]
    if (mask) return made.use(engine.mulPlain(copy, mask))
    return split.mask === 1 || masksResults ? copy : made.use(engine.mulScalar(copy, 1, split.mask))
  })
}

interface Finishing {
  readonly plan: ChannelPlan
  readonly encoded: Encoded
  readonly channel: number
  readonly results: Ciphertext[]
}

/** Mask, rescale, and into its place among the results. @returns that result */
function finish(engine: CircuitEngine, total: Ciphertext, { plan, encoded, channel, results }: Finishing): Ciphertext {
  const { output } = plan
  const together = output.channelOffsets.length
  const place = Math.floor(channel / together)
  const before = results[place]
  const result = scope((use) => {
    const made = engine.rescale(encoded.resultMask ? use(engine.mulPlain(total, encoded.resultMask)) : total)
    return together === 1 ? made : putChannel(engine, before, use(made), stepIn(output, channel))
  })
  before?.dispose()
  results[place] = result
  return result
}

interface Biased {
  readonly plan: ChannelPlan
  readonly encoded: Encoded
  /** Of the result within its group. */
  readonly place: number
}

/** A new ciphertext. */
function withBias(engine: CircuitEngine, result: Ciphertext, { plan, encoded, place }: Biased): Ciphertext {
  const placed = encoded.biases[place]
  if (placed) return engine.addPlain(result, placed)
  // without clean gaps there is one channel in each
  const bias = plan.cleanBias ? 0 : (plan.map.bias?.[place] ?? 0)
  return bias === 0 ? engine.dropLevel(result, result.level) : engine.addScalar(result, bias)
}
