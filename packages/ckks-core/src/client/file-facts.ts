/**
 * What a file of ciphertexts says of itself, and whether that is what its owner expects. A returned file decides nothing: its
 * scale turns integers into values, so a scale 2^20 too small would make the error 2^20 times what the noise was computed
 * for.
 */
import { ParameterMismatchError } from '../errors/errors.ts'
import { sameScale } from '../port/operand-checks.ts'
import type { PlanContract } from '../port/plan-contract.ts'
import type { Level, Scale, Slots } from '../port/quantities.ts'

/** Read from a file before anything of it is decrypted. */
export interface FileFacts {
  /** Absent where the format names neither (SEAL's); every field is then unknown. */
  readonly names?: {
    /** Content hash of the plan that it was made for. */
    readonly plan: string | undefined
    /** Name of the secret key behind it. */
    readonly keyId: string | undefined
    /** Random name of the encrypted input that it is, or is the result of. */
    readonly request: string | undefined
  }
  /** One entry per ciphertext, in the order of the file. */
  readonly ciphertexts: readonly {
    /** Level of the ciphertext. */
    readonly level: Level
    /** Scale of the ciphertext. */
    readonly scale: Scale
    /** 1, or 2 for a product that was not relinearised. */
    readonly degree: number
    /** Undefined where the format knows no period. */
    readonly slots: Slots | undefined
  }[]
}

/**
 * Holds a result to the contract.
 * @throws ParameterMismatchError naming what differs
 */
export function checkResult({ names, ciphertexts }: FileFacts, contract: PlanContract, keyId: string): void {
  const { output } = contract
  const same = (what: string, wanted: string | number, got: string | number | undefined, ok = wanted === got): void => {
    if (!ok)
      throw new ParameterMismatchError(
        `the result's ${what}: expected ${wanted}, got ${got ?? 'none'}: it is no result of this plan under this key, nothing of it was decrypted`,
      )
  }
  if (names) {
    same('plan', contract.plan, names.plan)
    same('keyId', keyId, names.keyId)
  }
  same('number of ciphertexts', output.ciphertexts, ciphertexts.length)
  for (const { level, scale, degree, slots } of ciphertexts) {
    same('level', output.level, level)
    same('scale', output.scale, scale, sameScale(scale, output.scale))
    same('degree', 1, degree)
    if (slots !== undefined) same('slots', output.slots, slots)
  }
}
