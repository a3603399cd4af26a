/** A planned transform as a layer: fused linear transforms, one rescale, folds, bias. One level. */
import {
  type Ciphertext,
  doubledRealPart,
  joinParts,
  type Plaintext,
  type PreparedLinearTransform,
  prepareLinearTransform,
  scope,
} from '@he-ml/ckks-core'
import {
  type Circuit,
  type CircuitEngine,
  createLowered,
  type LowerContext,
  type LoweredLayer,
  layoutPositions,
  type MultiplexedLayout,
  type PrepareContext,
} from '@he-ml/packing'
import { type LinearMap, linearGain } from '../linear-map/linear-map.ts'
import { weightScale } from '../lowered/unit-weight.ts'
import { diagonalMatrices } from './diagonal-values.ts'
import { liftZeroOutputs } from './lift-zero-outputs.ts'
import { isPaired } from './pair-inputs.ts'
import { planTransform } from './transform-plan.ts'
import type { Carried, TransformPlan } from './transform-shape.ts'

/** @throws UnsupportedError when no output layout fits */
export function lowerTransform(map: LinearMap, input: MultiplexedLayout, context: LowerContext): LoweredLayer {
  const plan = planTransform(map, input, context)
  return createLowered({
    name: map.name,
    inputs: [input],
    output: plan.output,
    depth: 1,
    errorGain: linearGain(map),
    prepare: (prepare) => prepareTransform(plan, prepare),
  })
}

interface Block {
  readonly from: number
  readonly to: number
  readonly transform: PreparedLinearTransform
}

async function prepareTransform(plan: TransformPlan, context: PrepareContext): Promise<Circuit> {
  const { engine, level, deferred, weights, signal } = context
  const blocks: Block[] = []
  const matrices = liftZeroOutputs(plan, diagonalMatrices(plan), weightScale(engine.parameters, level))
  for (const [i, matrix] of matrices.entries()) {
    const { from, to } = plan.blocks[i]!
    const transform = await prepareLinearTransform(engine, matrix, { level, deferred, ...(signal ? { signal } : {}) })
    blocks.push({ from, to, transform: weights.use(transform) })
  }
  const biases = encodeBias(plan, engine, level - 1)
  for (const bias of biases) if (bias) weights.use(bias)
  return async ({ engine, inputs, pacer, temporaries }) => {
    const outputs: Ciphertext[] = []
    const carried: Ciphertext[] = []
    for (const pair of plan.carried) {
      await pacer.step()
      carried.push(carry(engine, pair, inputs[0]!, (made) => temporaries.use(made)))
    }
    for (let to = 0; to < plan.output.ciphertexts; to++) {
      const parts: Ciphertext[] = []
      for (const block of blocks) {
        if (block.to !== to) continue
        await pacer.step()
        parts.push(temporaries.use(engine.linearTransform(carried[block.from]!, block.transform)))
      }
      outputs.push(temporaries.use(finish(engine, plan, parts, biases[to])))
      for (const part of parts) part.dispose()
    }
    return outputs
  }
}

/** An input, or two as the halves of one. */
function carry(
  engine: CircuitEngine,
  { real, imaginary }: Carried,
  inputs: readonly Ciphertext[],
  keep: (made: Ciphertext) => Ciphertext,
): Ciphertext {
  if (!imaginary) return inputs[real]!
  return keep(
    scope((use) => {
      const other = inputs[imaginary.from]!
      const turned = imaginary.steps === 0 ? other : use(engine.rotate(other, imaginary.steps))
      return joinParts(engine, inputs[real]!, turned)
    }),
  )
}

/** Sum, rescale, folds, real part, bias. */
function finish(
  engine: CircuitEngine,
  plan: TransformPlan,
  parts: readonly Ciphertext[],
  bias: Plaintext | undefined,
): Ciphertext {
  return scope((use) => {
    let total = use(engine.rescale(parts.length === 1 ? parts[0]! : use(engine.sum(parts))))
    for (const fold of plan.folds) total = use(engine.add(total, use(engine.rotate(total, fold))))
    if (isPaired(plan)) total = use(doubledRealPart(engine, total))
    return bias ? use(engine.addPlain(total, bias)) : total
  })
}

/** The bias at every element, zero in the gaps, so that gaps stay what they are. */
function encodeBias(plan: TransformPlan, engine: CircuitEngine, level: number): (Plaintext | undefined)[] {
  const { bias, output: shape } = plan.map
  const { slots, period, ciphertexts } = plan.output
  if (!bias || bias.every((b) => b === 0)) return []
  const vectors = Array.from({ length: ciphertexts }, () => new Float64Array(period))
  const pixels = shape[1] * shape[2]
  layoutPositions(plan.output).forEach((place, element) => {
    vectors[Math.floor(place / slots)]![place % slots] = bias[Math.floor(element / pixels)]!
  })
  const scale = engine.parameters.scaleAt(level)
  return vectors.map((values) => engine.encode(values, { level, scale }))
}
