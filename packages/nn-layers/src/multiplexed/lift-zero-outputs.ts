/** Output ciphertexts whose diagonals may all encode to zero get one that does not; see unit-weight.ts. */
import { groupSizes, usefulRanges } from '../linear-map/linear-map.ts'
import { liftZeroVector } from '../lowered/unit-weight.ts'
import type { LazyMatrix } from './diagonal-values.ts'
import { isPaired } from './pair-inputs.ts'
import type { TransformPlan } from './transform-shape.ts'

/**
 * @param matrices one for each block of the plan
 * @param scale of the encoded diagonals
 */
export function liftZeroOutputs(
  plan: TransformPlan,
  matrices: readonly LazyMatrix[],
  scale: number,
): readonly LazyMatrix[] {
  const lifted = [...matrices]
  // by Parseval the largest coefficient of a diagonal is at least |v| scale / (sqrt(2) length) for each of its values v
  const enough = (plan.length / scale) * (isPaired(plan) ? 2 : 1)
  for (let to = 0; to < plan.output.ciphertexts; to++) {
    if (hasWeight(plan, to, enough)) continue
    const own = plan.blocks.findIndex((block) => block.to === to)
    lifted[own] = liftFirst(matrices[own]!, scale)
  }
  return lifted
}

/** Whether some weight to an output ciphertext is at least as large; mostly the first one is. */
function hasWeight({ map, output }: TransformPlan, to: number, least: number): boolean {
  const { inputs } = groupSizes(map)
  const taps = [usefulRanges(map, 0), usefulRanges(map, 1)] as const
  for (const [o, offset] of output.grid.channelOffsets.entries()) {
    if (Math.floor(offset / output.slots) !== to) continue
    for (let c = 0; c < inputs; c++)
      for (const row of taps[0])
        for (const column of taps[1])
          if (Math.abs(map.weight(o, c, row.tap, column.tap, row.first, column.first)) >= least) return true
  }
  return false
}

function liftFirst(matrix: LazyMatrix, scale: number): LazyMatrix {
  const [first, ...rest] = matrix.diagonals
  const [step, diagonal] = first!
  const values = () => {
    const { re, im } = diagonal.values()
    return { re: liftZeroVector(re, scale), ...(im && { im }) }
  }
  return { ...matrix, diagonals: new Map([[step, { ...diagonal, values }], ...rest]) }
}
