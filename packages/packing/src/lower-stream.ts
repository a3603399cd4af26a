/**
 * Refreshing layers of a batch together with the layers that make their currents and the ones that sum up their results, some elements at
 * a time: a current lives until it is refreshed, a membrane until the next step, a result until it is summed. Apart, all of them live at
 * once: of an image's first layers that is many times what the sums take.
 */
import { type Ciphertext, type Level, toLevel } from '@he-ml/ckks-core'
import { type CircuitContext, createMultiOutputLowered } from './create-lowered.ts'
import type { LayerRefresh, LoweredLayer, PreparedLayer } from './lowered-contract.ts'
import type { BatchLayout, SlotLayout } from './slot-layout.ts'

/** A refreshing layer and its neighbours. */
export interface StreamStage {
  /** What makes the refreshing layer's first input, which nobody else reads; absent: that is given. */
  readonly before?: StreamPart
  /** The layer that refreshes what it computes. */
  readonly refresh: StreamPart
  /** For each result of the refreshing layer what alone reads it, without taking a level; undefined: the result is the stream's. */
  readonly after: readonly (StreamPart | undefined)[]
  /** The result of the stage before that is the refreshing layer's second input, and nobody else's. */
  readonly carried?: number
}

/** A layer of a stream. */
export interface StreamPart {
  /** The layer, bound to layouts. */
  readonly circuit: LoweredLayer
  /** Where the elements of each of its inputs lie. */
  readonly inputs: readonly SlotLayout[]
}

/** Elements of the refreshing layers, and those of the sums that are made of them. */
interface Unit {
  readonly elements: readonly number[]
  readonly summed: readonly number[]
}

/**
 * One layer: its inputs are, stage by stage, that of `before` (or the refreshing layer's first) and those of the refreshing layer after its
 * first, but for what is carried; its results, stage by stage, those of `after` or the refreshing layer's own, but for what is carried.
 *
 * @returns undefined where the stages cannot go element by element: other layouts than batches, sums that share elements, none at all,
 *   stages of different depths or periods
 */
export function lowerStream(name: string, stages: readonly StreamStage[]): LoweredLayer | undefined {
  const units = stages.every(isElementwise) && areAlike(stages) ? unitsOf(stages) : undefined
  if (!units) return undefined
  return createMultiOutputLowered({
    name,
    inputs: stages.flatMap(inputsOf),
    outputs: stages.flatMap(({ refresh, after }, k) =>
      refresh.circuit.outputs
        .map((layout, i) => after[i]?.circuit.outputs[0] ?? layout)
        .filter((_, i) => i !== stages[k + 1]?.carried),
    ),
    depth: depthOf(stages[0]!),
    refresh: joinedRefresh(stages),
    prepare: async ({ engine, level, weights, signal }) => {
      const prepare = async ({ circuit }: StreamPart, lower: number) =>
        weights.use(await circuit.prepare(engine, { level: lower, ...(signal ? { signal } : {}) }))
      const prepared: Prepared[] = []
      for (const { before, refresh, after } of stages) {
        const first = before && (await prepare(before, level))
        const middle = await prepare(refresh, level - (before?.circuit.depth ?? 0))
        const sums: (PreparedLayer | undefined)[] = []
        // they take no level, and do the same at each
        for (const part of after) sums.push(part && (await prepare(part, 0)))
        prepared.push({ before: first, refresh: middle, after: sums })
      }
      return (context) => evaluate(context, stages, units, prepared)
    },
  })
}

interface Prepared {
  readonly before: PreparedLayer | undefined
  readonly refresh: PreparedLayer
  readonly after: readonly (PreparedLayer | undefined)[]
}

/** Unit after unit, stage after stage: a current, its refresh, the sums. */
async function evaluate(
  context: CircuitContext,
  stages: readonly StreamStage[],
  units: readonly Unit[],
  prepared: readonly Prepared[],
): Promise<Ciphertext[][]> {
  const some = new SomeElements(context)
  const results = stages.map(({ after }) => after.map((): Ciphertext[] => []))
  let last: Ciphertext | undefined
  for (const { elements, summed } of units) {
    // temporaries of two units need not live at the same time
    await last?.ready()
    await context.pacer.step()
    let next = 0
    let carried: readonly Ciphertext[] = []
    for (const [k, stage] of stages.entries()) {
      const { before, refresh, after } = prepared[k]!
      const given = context.inputs[next]!
      next += 1
      const current = before ? (await some.run(before, [given], elements))[0]! : given
      const others = stage.refresh.inputs.slice(1).map((_, i) => {
        if (i === 0 && stage.carried !== undefined) return carried
        next += 1
        return context.inputs[next - 1]!
      })
      // what stands beside a current that took a level
      const { level } = current[elements[0]!]!
      const beside = others.map((handles) => some.lowered(handles, elements, level))
      const made = await some.run(refresh, [current, ...beside], elements)
      if (before) some.drop(current, elements)
      for (const handles of beside) some.drop(handles, elements)
      if (stage.carried !== undefined) some.drop(carried, elements)
      for (const [i, values] of made.entries()) {
        const sum = after[i]
        if (i === stages[k + 1]?.carried) carried = values
        else if (sum) {
          const [sums] = (await some.run(sum, [values], summed)) as [readonly Ciphertext[]]
          for (const place of summed) last = results[k]![i]![place] = sums[place]!
          some.drop(values, elements)
        } else for (const place of elements) last = results[k]![i]![place] = values[place]!
      }
    }
  }
  return results.flatMap((outputs, k) => outputs.filter((_, i) => i !== stages[k + 1]?.carried))
}

/** Some elements at a time; what is made of them lives until it is dropped, or the circuit ends. */
class SomeElements {
  readonly #context: CircuitContext
  constructor(context: CircuitContext) {
    this.#context = context
  }
  async run(layer: PreparedLayer, of: readonly (readonly Ciphertext[])[], only: readonly number[]) {
    const { engine, options, temporaries } = this.#context
    const made = await layer.applySome!(engine, of, { ...options, only })
    for (const handles of made) for (const i of only) temporaries.use(handles[i]!)
    return made
  }
  lowered(handles: readonly Ciphertext[], only: readonly number[], level: Level): readonly Ciphertext[] {
    const { engine, temporaries } = this.#context
    const lowered: Ciphertext[] = []
    for (const i of only) lowered[i] = temporaries.use(toLevel(engine, handles[i]!, level))
    return lowered
  }
  drop(handles: readonly Ciphertext[], only: readonly number[]): void {
    for (const i of only) handles[i]!.dispose()
  }
}

/** Of one stage, those that are not carried. */
const inputsOf = ({ before, refresh, carried }: StreamStage): readonly SlotLayout[] => [
  ...(before ? before.inputs : refresh.inputs.slice(0, 1)),
  ...refresh.inputs.slice(carried === undefined ? 1 : 2),
]

const depthOf = ({ before, refresh }: StreamStage): number => (before?.circuit.depth ?? 0) + refresh.circuit.depth

function isElementwise({ before, refresh, after }: StreamStage): boolean {
  const parts = [before, refresh, ...after].filter((part) => part !== undefined)
  return (
    refresh.circuit.refresh !== undefined &&
    (before === undefined || before.inputs.length === 1) &&
    after.every((part) => part === undefined || part.circuit.depth === 0) &&
    parts.every(({ circuit: { reads }, inputs }) => reads !== undefined && inputs.every(({ kind }) => kind === 'batch'))
  )
}

/** Whether stages can go in step. */
function areAlike(stages: readonly StreamStage[]): boolean {
  const [first] = stages as [StreamStage]
  const { period, slots, content, ciphertexts } = first.refresh.circuit.refresh!
  return stages.every((stage) => {
    const own = stage.refresh.circuit.refresh!
    return (
      depthOf(stage) === depthOf(first) &&
      own.period === period &&
      own.slots === slots &&
      own.content === content &&
      own.ciphertexts === ciphertexts
    )
  })
}

function joinedRefresh(stages: readonly StreamStage[]): LayerRefresh {
  const all = stages.map(({ refresh }) => refresh.circuit.refresh!)
  return {
    ...all[0]!,
    points: Math.max(...all.map(({ points }) => points)),
    functionLevels: Math.max(...all.map(({ functionLevels }) => functionLevels)),
    carried: [...new Set(all.flatMap(({ carried }) => carried))],
    strays: all.reduce((sum, { strays }) => sum + strays, 0),
    hops: all.reduce((sum, { hops }) => sum + hops, 0),
    cells: [],
    ciphertexts: all.reduce((sum, { ciphertexts }) => sum + ciphertexts, 0),
  }
}

/**
 * A unit is a pixel of the sums, all channels, since linear layers make all channels of a pixel together; elements that no sum reads are a
 * unit of their own where somebody wants them.
 */
function unitsOf(stages: readonly StreamStage[]): Unit[] | undefined {
  const [sum, ...more] = stages.flatMap(({ after }) => after).filter((part) => part !== undefined)
  if (!sum) return undefined
  const { shape, ciphertexts } = sum.circuit.outputs[0] as BatchLayout
  const channels = shape.length === 3 ? shape[0]! : ciphertexts
  const pixels = ciphertexts / channels
  const left = new Set(Array.from({ length: stages[0]!.refresh.circuit.outputs[0]!.ciphertexts }, (_, i) => i))
  const units: Unit[] = []
  for (let pixel = 0; pixel < pixels; pixel++) {
    const summed = Array.from({ length: channels }, (_, c) => c * pixels + pixel)
    const elements = sum.circuit.reads!(summed)
    if (more.some(({ circuit }) => String(circuit.reads!(summed)) !== String(elements))) return undefined
    for (const element of elements) if (!left.delete(element)) return undefined
    units.push({ elements, summed })
  }
  const isWanted = stages.some(({ after }, k) => after.some((part, i) => !part && i !== stages[k + 1]?.carried))
  if (left.size > 0 && isWanted) units.push({ elements: [...left], summed: [] })
  return units
}
