/**
 * Layers that refresh what they compute: sums of inputs, and functions of the sum from one functional bootstrap. Two ciphertexts of a batch
 * travel as one. Of one image several cells (layers at different time steps that do not wait for each other) share a refresh: their
 * elements are rotated to slots of their own, masked and added up, and the results rotated back.
 */
import {
  type Ciphertext,
  type PeriodicFunction,
  type Plaintext,
  type Slots,
  scope,
  UnsupportedError,
} from '@he-ml/ckks-core'
import { sizeOf } from '@he-ml/model'
import { type CircuitContext, createMultiOutputLowered } from './create-lowered.ts'
import { encodeElementMasks, encodeMask } from './element-masks.ts'
import { layoutPositions, liesAlike, samePositions } from './layout-positions.ts'
import type { LayerRefresh, LoweredLayer } from './lowered-contract.ts'
import { keepingElementErrors } from './masked-errors.ts'
import type { RefreshCell } from './refresh-cell.ts'
import type { MultiplexedLayout, SlotLayout } from './slot-layout.ts'

/** Shortest period that functional bootstrapping circuits are made for. */
const FEWEST_SLOTS = 16

/**
 * One cell on its own.
 * @throws UnsupportedError when its inputs do not lie alike
 */
export function lowerRefresh(cell: RefreshCell): LoweredLayer {
  const { name, inputs, functions } = cell
  const [first, second] = inputs as [SlotLayout, SlotLayout?]
  if (first.kind === 'multiplexed' && second && !liesAlike(first, second)) {
    const joined = joinRefreshes(name, [cell], Math.max(first.slots, second.slots))
    if (joined) return joined
  }
  if (second && !liesAlike(first, second))
    throw new UnsupportedError(
      `layer "${name}": its current and its membrane lie in different slots: lower what makes the current with the membrane's layout as LowerContext.prefer, or use the batch layout`,
    )
  if (first.kind === 'batch' && first.slots < FEWEST_SLOTS)
    throw new UnsupportedError(
      `layer "${name}" refreshes ciphertexts of at least ${FEWEST_SLOTS} slots, the batch has ${first.slots}: use a batch of ${FEWEST_SLOTS} or more`,
    )
  const masked = inputs.some((layout) => layout.kind === 'multiplexed' && layout.grid.gaps === 'any')
  return createMultiOutputLowered({
    name,
    inputs,
    outputs: functions.map(() => refreshed(first)),
    depth: masked ? 1 : 0,
    refresh: refreshOf([cell], first, functions),
    ...(first.kind === 'batch' ? { reads: (elements) => elements } : {}),
    prepare: async ({ engine, level, weights }) => {
      const masks = masked ? encodeElementMasks(first as MultiplexedLayout, engine, level) : []
      for (const mask of masks) weights.use(mask)
      return (context) => evaluate(context, cell, masks)
    },
  })
}

/** Where results lie: as the inputs, in a vector as long as a circuit's. */
const refreshed = (layout: SlotLayout): SlotLayout =>
  layout.kind === 'multiplexed'
    ? { ...layout, slots: Math.max(FEWEST_SLOTS, layout.slots), grid: { ...layout.grid, gaps: 'bounded' } }
    : layout

function refreshOf(
  cells: readonly RefreshCell[],
  { slots, ciphertexts }: Pick<SlotLayout, 'slots' | 'ciphertexts'>,
  functions: readonly PeriodicFunction[],
): LayerRefresh {
  return {
    slots: Math.max(FEWEST_SLOTS, slots),
    content: ciphertexts > 1 ? 'complex' : 'real',
    period: cells[0]!.period,
    points: Math.max(...cells.map(({ points }) => points)),
    functionLevels: functions.reduce((most, { depth }) => Math.max(most, depth), 0),
    carried: [...new Set(cells.flatMap(({ carried = [] }) => carried))],
    strays: cells.reduce((sum, { beyond = 0, inputs: [layout] }) => sum + beyond * valuesIn(layout!), 0),
    hops: cells.some(({ inputs }) => inputs.length > 1) ? 1 : 0,
    cells: cells.map(({ inputs, functions: own }) => ({ inputs: inputs.length, outputs: own.length })),
    ciphertexts,
  }
}

/** Of all images. */
const valuesIn = ({ kind, shape, ciphertexts, slots }: SlotLayout): number =>
  kind === 'multiplexed' ? sizeOf(shape) : ciphertexts * slots

/** The sum that functions are taken of. */
function charge({ engine }: CircuitContext, { start }: RefreshCell, value: Ciphertext, other?: Ciphertext): Ciphertext {
  return other ? engine.add(other, value) : engine.addScalar(value, start)
}

/** All ciphertexts, one bootstrap after another, or a few in lock step: for each function its results. */
async function evaluate(
  context: CircuitContext,
  cell: RefreshCell,
  masks: readonly Plaintext[],
): Promise<Ciphertext[][]> {
  const { engine, inputs, only, pacer, temporaries, refresh } = context
  const { functions, period } = cell
  const [values, others] = inputs as [readonly Ciphertext[], (readonly Ciphertext[])?]
  const wanted = only ?? values.map((_, i) => i)
  const circuit = refresh()
  const sum = (i: number): Ciphertext =>
    scope((use) => {
      const charged = charge(context, cell, values[i]!, others?.[i])
      const mask = masks[i]
      if (!mask) return charged
      use(charged)
      return keepingElementErrors(engine, [charged], () => engine.rescale(use(engine.mulPlain(charged, mask))))
    })
  const load = cell.inputs[0]!.ciphertexts > 1 ? 2 : 1
  const results = functions.map((): Ciphertext[] => [])
  let before: Ciphertext | undefined
  const group = load * (circuit.together ?? 1)
  for (let k = 0; k < wanted.length; k += group) {
    // temporaries of two bootstraps that are not in lock step need not live at the same time
    await before?.ready()
    await pacer.step()
    const loads = chunks(wanted.slice(k, k + group), load)
    const sums = loads.map((places) => places.map((i) => temporaries.use(sum(i))) as [Ciphertext, Ciphertext?])
    const made = circuit.evaluateTogether(engine, sums, functions, { period })
    for (const handle of sums.flat()) handle!.dispose()
    for (const [j, place] of loads.flat().entries())
      for (const [f, y] of made[j]!.entries()) results[f]![place] = temporaries.use(y)
    before = results[0]![loads.at(-1)![0]!]
  }
  return results
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}

/** A cell and where it lies among others. */
interface Placed {
  readonly cell: RefreshCell
  readonly layout: MultiplexedLayout
  /** Of the vector in which it lies. */
  readonly slots: Slots
  /** Its elements move that far to the right. */
  readonly shift: number
  /** Which of the distinct functions each of its results is. */
  readonly functions: readonly number[]
}

/**
 * Several cells in one refresh, inputs and outputs one cell behind the other; undefined where they do not fit into one ciphertext, or have
 * different periods.
 */
export function joinRefreshes(name: string, cells: readonly RefreshCell[], maxSlots: Slots): LoweredLayer | undefined {
  const layouts = cells.map(({ inputs }) => inputs[0]!)
  if (layouts.length === 0 || !layouts.every(isJoinable)) return undefined
  if (cells.some(({ period, inputs: [value, other] }) => period !== cells[0]!.period || !fits(value, other)))
    return undefined
  const places = placesOf(layouts as MultiplexedLayout[], slotsOf(cells), maxSlots)
  if (!places) return undefined
  const { shifts, slots } = places
  const distinct = new DistinctFunctions()
  const placed = cells.map((cell, i): Placed => {
    const layout = layouts[i] as MultiplexedLayout
    return { cell, layout, slots, shift: shifts[i]!, functions: cell.functions.map((f) => distinct.indexOf(f)) }
  })
  return createMultiOutputLowered({
    name,
    inputs: cells.flatMap(({ inputs }) => inputs),
    // other cells' results lie in their gaps
    outputs: placed.flatMap(({ cell, layout }) =>
      cell.functions.map(
        (): SlotLayout => ({ ...layout, slots, period: slots, grid: { ...layout.grid, gaps: 'bounded' } }),
      ),
    ),
    depth: 1,
    refresh: refreshOf(cells, { slots, ciphertexts: 1 }, distinct.all),
    prepare: async ({ engine, level, weights }) => {
      const masks = placed.map((p) => weights.use(encodeMask(maskOf(p), engine, level)))
      return (context) => evaluateJoined(context, placed, masks, distinct.all)
    },
  })
}

const isJoinable = (layout: SlotLayout): boolean => layout.kind === 'multiplexed' && layout.ciphertexts === 1

/** The longest vector that is there. */
const slotsOf = (cells: readonly RefreshCell[]): Slots =>
  cells.flatMap(({ inputs }) => inputs).reduce((most, { slots }) => Math.max(most, slots), FEWEST_SLOTS)

/** Whether the other value's elements lie where those of the first do, whatever repeats. */
const fits = (value?: SlotLayout, other?: SlotLayout): boolean =>
  !other || (value?.kind === 'multiplexed' && other.kind === 'multiplexed' && samePositions(value, other))

/** How far each is moved, so that no two share a slot; powers of two where they do, for they need fewer keys. */
function placesOf(
  layouts: readonly MultiplexedLayout[],
  slots: Slots,
  maxSlots: Slots,
): { readonly shifts: readonly number[]; readonly slots: Slots } | undefined {
  if (slots > maxSlots) return undefined
  const taken = new Uint8Array(slots)
  const candidates = [0]
  for (let shift = slots / 2; shift >= 1; shift /= 2) candidates.push(shift)
  for (let shift = 3; shift < slots; shift++) if (!Number.isInteger(Math.log2(shift))) candidates.push(shift)
  const shifts: number[] = []
  for (const layout of layouts) {
    const positions = layoutPositions(layout)
    const shift = candidates.find((by) => positions.every((p) => taken[(p + by) % slots] === 0))
    if (shift === undefined) return placesOf(layouts, 2 * slots, maxSlots)
    for (const p of positions) taken[(p + shift) % slots] = 1
    shifts.push(shift)
  }
  return { shifts, slots }
}

function maskOf({ layout, shift, slots }: Placed): Float64Array {
  const mask = new Float64Array(slots)
  for (const p of layoutPositions(layout)) mask[(p + shift) % slots] = 1
  return mask
}

/** Functions, those that are the same only once. */
class DistinctFunctions {
  readonly all: PeriodicFunction[] = []
  readonly #keys: string[] = []

  indexOf(f: PeriodicFunction): number {
    const key = JSON.stringify([f.half.coefficients, f.after.map(({ coefficients }) => coefficients)])
    const known = this.#keys.indexOf(key)
    if (known >= 0) return known
    this.#keys.push(key)
    return this.all.push(f) - 1
  }
}

async function evaluateJoined(
  context: CircuitContext,
  placed: readonly Placed[],
  masks: readonly Plaintext[],
  functions: readonly PeriodicFunction[],
): Promise<Ciphertext[][]> {
  const { engine, inputs, pacer, temporaries, refresh } = context
  await pacer.step()
  let next = 0
  using sum = scope((use) => {
    const charges = placed.map(({ cell }) => {
      const [[value], other] = [inputs[next]!, inputs[next + 1]]
      next += cell.inputs.length
      return use(charge(context, cell, value!, cell.inputs.length > 1 ? other![0] : undefined))
    })
    return keepingElementErrors(engine, charges, () => {
      const parts = placed.map(({ slots, shift }, i) => {
        const moved = shift === 0 ? charges[i]! : use(engine.rotate(charges[i]!, slots - shift))
        return use(engine.mulPlain(moved, masks[i]!))
      })
      return engine.rescale(parts.length === 1 ? parts[0]! : use(engine.sum(parts)))
    })
  })
  const { period } = placed[0]!.cell
  const [made] = refresh().evaluateTogether(engine, [[sum]], functions, { period })
  for (const y of made!) temporaries.use(y)
  return placed.flatMap(({ shift, functions: own }) =>
    own.map((k) => {
      const y = made![k]!
      // each result is a handle of its own
      return [temporaries.use(shift === 0 ? engine.dropLevel(y, y.level) : engine.rotate(y, shift))]
    }),
  )
}
