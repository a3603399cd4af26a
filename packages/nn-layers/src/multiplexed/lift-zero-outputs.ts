/** Output ciphertexts whose diagonals may all encode to zero get one that does not; see unit-weight.ts. */
import { liftZeroVector, surelyEncoded } from '../lowered/unit-weight.ts'
import type { LazyDiagonal, LazyMatrix } from './diagonal-values.ts'
import type { TransformPlan } from './transform-plan.ts'

/**
 * @param matrices one for each block of the plan; mostly the first diagonal of an output settles that nothing need be done
 * @param scale of the encoded diagonals
 */
export function liftZeroOutputs(
  { blocks, output }: TransformPlan,
  matrices: readonly LazyMatrix[],
  scale: number,
): readonly LazyMatrix[] {
  const lifted = [...matrices]
  for (let to = 0; to < output.ciphertexts; to++) {
    const own = blocks.flatMap((block, i) => (block.to === to ? [i] : []))
    const isSeen = own.some((i) => [...matrices[i]!.diagonals.values()].some((d) => isSurelyEncoded(d, scale)))
    if (!isSeen) lifted[own[0]!] = liftFirst(matrices[own[0]!]!, scale)
  }
  return lifted
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

function isSurelyEncoded(diagonal: LazyDiagonal, scale: number): boolean {
  const { re, im } = diagonal.values()
  return surelyEncoded(re, scale) || (im !== undefined && surelyEncoded(im, scale))
}
