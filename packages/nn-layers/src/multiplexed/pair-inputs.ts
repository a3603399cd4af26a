/**
 * Two real inputs in one complex slot. A complex diagonal u - iv times x + iy has the real part ux + vy: one product for two
 * weights. So an image is joined with a rotation of itself, or ciphertexts in pairs, and the real part of the result is taken by a
 * conjugation: half as many diagonals to encode and to multiply by, for two key switches.
 */
import { signedSteps } from './differences.ts'
import { halfCover, reaches } from './folds.ts'
import { type Prices, transformCost } from './prices.ts'
import type { Carried, TransformBlock, TransformPlan } from './transform-shape.ts'

/** Whether results come out doubled, beside an imaginary half that means nothing. */
export const isPaired = ({ carried }: Pick<TransformPlan, 'carried'>): boolean =>
  carried.some((c) => c.imaginary !== undefined)

/** The plan on pairs of inputs, where that is cheaper. */
export function pairInputs(plan: TransformPlan, prices: Prices): TransformPlan {
  const choices = plan.input.ciphertexts > 1 ? [pairCiphertexts(plan)] : pairRotations(plan)
  let best = plan
  const parts = plan.output.ciphertexts * prices.rotate
  const unchanged = plan.cost - blocksCost(plan.blocks, plan, prices)
  for (const { carried, blocks } of choices) {
    const joins = carried.filter((c) => c.imaginary && c.imaginary.steps !== 0).length * prices.rotate
    const cost = unchanged + parts + joins + blocksCost(blocks, plan, prices)
    if (cost < best.cost) best = { ...plan, carried, blocks, cost }
  }
  return best
}

type Choice = Pick<TransformPlan, 'carried' | 'blocks'>

const blocksCost = (blocks: readonly TransformBlock[], { length }: TransformPlan, prices: Prices): number =>
  blocks.reduce((sum, { steps }) => sum + transformCost(steps, length, prices), 0)

/** Ciphertexts 0 and 1, 2 and 3, and so on; an odd one alone. */
function pairCiphertexts({ input, blocks, output }: TransformPlan): Choice {
  const carried = Array.from({ length: Math.ceil(input.ciphertexts / 2) }, (_, i): Carried => {
    const real = 2 * i
    return real + 1 < input.ciphertexts ? { real, imaginary: { from: real + 1, steps: 0 } } : { real }
  })
  const joined = carried.flatMap((_, from) =>
    Array.from({ length: output.ciphertexts }, (_, to): TransformBlock => {
      const own = blocks.filter((b) => b.to === to && Math.floor(b.from / 2) === from)
      return { from, to, steps: union(own, input.period) }
    }),
  )
  return { carried, blocks: joined.filter((b) => b.steps.length > 0) }
}

function union(blocks: readonly TransformBlock[], period: number): number[] {
  if (blocks.length === 1) return [...blocks[0]!.steps]
  return signedSteps(flagged(blocks, period))
}

/** One ciphertext and a rotation of it, by each of a few distances. */
function pairRotations({ input, blocks }: TransformPlan): Choice[] {
  const { period } = input
  const distances = new Set(blocks.flatMap((b) => [...reaches(b.steps, period)]))
  return [...distances].map((steps) => ({
    carried: [{ real: 0, imaginary: { from: 0, steps } }],
    blocks: blocks.map((block) => ({ ...block, steps: halves(block.steps, steps, period) })),
  }))
}

/** Fewest steps that reach all with one more rotation by `reach`; close together where half a period is halved. */
const halves = (steps: readonly number[], reach: number, period: number): number[] =>
  2 * reach === period ? signedSteps(flagged([{ steps }], reach)) : halfCover(steps, reach, period)

function flagged(blocks: readonly Pick<TransformBlock, 'steps'>[], modulus: number): Uint8Array {
  const flags = new Uint8Array(modulus)
  for (const { steps } of blocks) for (const step of steps) flags[((step % modulus) + modulus) % modulus] = 1
  return flags
}
