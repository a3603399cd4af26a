/** A layer on the clear engine, which computes what ciphertexts hold without encrypting: its results, and all that a circuit promises. */
import { type ClearEngine, createClearEngine, insecureParameters, LevelError, sameScale } from '@he-ml/ckks-core'
import { createTensor, type GraphLayer, sizeOf, type Tensor } from '@he-ml/model'
import {
  gapsOf,
  imagesPerTensor,
  type LowerContext,
  type LoweredLayer,
  lowerLayer,
  PackedTensor,
  pack,
  type SlotLayout,
  unpack,
} from '@he-ml/packing'

export interface LayerRun {
  readonly lowered: LoweredLayer
  /** One per image. */
  readonly outputs: readonly Tensor[]
  /** Slots of each ciphertext of the result. */
  readonly vectors: readonly Float64Array[]
  /** Promises that the circuit did not keep. */
  readonly findings: readonly string[]
}

export interface RunOptions {
  readonly context: LowerContext
  /** Of the inputs; default one more than the layer takes. */
  readonly level?: number
  /** Value of the input's slots without an element; default 1000 where the layout says 'any', else 0. */
  readonly gap?: number
}

const TOLERANCE = 1e-9
/** Enough for any single layer. */
const LEAST_LEVELS = 8
/** Of the smallest ring that parameters have. */
const LEAST_LOG_N = 10

/** @param images `images[b][i]` is input i of image b */
export async function runOnClearEngine(
  layer: GraphLayer,
  images: readonly (readonly Tensor[])[],
  layouts: readonly SlotLayout[],
  { context, level: given, gap }: RunOptions,
): Promise<LayerRun> {
  const lowered = lowerLayer(layer, layouts, context)
  const level = given ?? lowered.depth + 1
  const levels = Math.max(LEAST_LEVELS, level)
  const logN = Math.max(LEAST_LOG_N, Math.log2(context.maxSlots) + 1)
  const parameters = insecureParameters({ logN, levels, scaleBits: 40, dnum: levels + 1 })
  const engine = createClearEngine(parameters)
  try {
    const inputs = layouts.map((layout, i) => {
      const vectors = pack(
        images.map((image) => image[i]!),
        layout,
      )
      spoilGaps(vectors, layout, gap ?? (gapsOf(layout) === 'any' ? 1000 : 0))
      return new PackedTensor(
        layout,
        vectors.map((v) => engine.encryptClear(v, { level })),
      )
    })
    const before = engine.memory().ciphertexts
    using prepared = await lowered.prepare(engine, { level })
    const [output] = await prepared.apply(engine, inputs)
    const findings = await levelFindings(lowered, engine)
    if (JSON.stringify(output!.layout) !== JSON.stringify(lowered.outputs[0]))
      findings.push('its circuit puts the result elsewhere than its lowered form says')
    for (const { level: left, degree, scale } of output!.ciphertexts) {
      if (left !== level - lowered.depth)
        findings.push(`it declares ${lowered.depth} levels, its circuit takes ${level - left}`)
      if (degree !== 1) findings.push(`a result has degree ${degree}, expected 1: relinearise it`)
      if (!sameScale(scale, parameters.scaleAt(left)))
        findings.push(
          `a result has the scale 2^${Math.log2(scale)}, expected the nominal one of level ${left}: rescale it`,
        )
    }
    const vectors = output!.ciphertexts.map((c) => engine.readClear(c).re)
    const outputs = unpack(vectors, output!.layout, images.length)
    output!.dispose()
    const leaked = engine.memory().ciphertexts - before
    if (leaked !== 0) findings.push(`its circuit leaves ${leaked} bytes of ciphertexts behind: dispose of temporaries`)
    findings.push(...gapFindings(vectors, output!.layout))
    return { lowered, outputs, vectors, findings: [...new Set(findings)] }
  } finally {
    await engine.dispose()
  }
}

async function levelFindings(lowered: LoweredLayer, engine: ClearEngine): Promise<string[]> {
  if (lowered.depth === 0) return []
  try {
    using _ = await lowered.prepare(engine, { level: lowered.depth - 1 })
  } catch (error) {
    if (error instanceof LevelError) return []
  }
  return [`it takes ${lowered.depth} levels, and does not refuse inputs at level ${lowered.depth - 1} by a LevelError`]
}

/** What a layout promises of slots without an element, and its period. */
function gapFindings(vectors: readonly Float64Array[], layout: SlotLayout): string[] {
  const ones = onesOf(layout)
  const period = layout.kind === 'multiplexed' ? layout.period : layout.slots
  const zero = gapsOf(layout) === 'zero'
  for (const [c, vector] of vectors.entries())
    for (const [s, value] of vector.entries()) {
      if (Math.abs(value - vector[s % period]!) >= TOLERANCE)
        return [`slot ${s} of ciphertext ${c} of the result does not repeat with the period ${period} of its layout`]
      if (zero && ones[c]![s % layout.slots] === 0 && Math.abs(value) >= TOLERANCE)
        return [`slot ${s} of ciphertext ${c} of the result, a gap that should be zero, holds ${value}`]
    }
  return []
}

function spoilGaps(vectors: readonly Float64Array[], layout: SlotLayout, value: number): void {
  const ones = onesOf(layout)
  for (const [c, vector] of vectors.entries())
    for (let s = 0; s < vector.length; s++) if (ones[c]![s] === 0) vector[s] = value
}

/** 1 at every element of every image, 0 elsewhere. */
function onesOf(layout: SlotLayout): Float64Array[] {
  const image = createTensor(layout.shape, new Float64Array(sizeOf(layout.shape)).fill(1))
  return pack(new Array<Tensor>(imagesPerTensor(layout)).fill(image), layout)
}
