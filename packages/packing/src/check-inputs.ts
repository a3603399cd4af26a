import { type Evaluator, InvalidArgumentError, LevelError, ScaleError, sameScale } from '@he-ml/ckks-core'
import type { PackedTensor } from './packed-tensor.ts'
import type { SlotLayout } from './slot-layout.ts'

export interface Expected {
  readonly name: string
  readonly layouts: readonly SlotLayout[]
  readonly level: number
}

/** @throws LevelError when a layer of that depth cannot run at `level` */
export function checkLevel(name: string, level: number, depth: number): void {
  if (level < depth)
    throw new LevelError(
      `layer "${name}": expected level >= ${depth}, got ${level}: insert a refresh before it or raise the number of levels`,
    )
}

/** Everything an apply relies on. @throws InvalidArgumentError, LevelError or ScaleError naming the layer */
export function checkInputs(
  evaluator: Evaluator,
  inputs: readonly PackedTensor[],
  { name, layouts, level }: Expected,
): void {
  if (inputs.length !== layouts.length)
    throw new InvalidArgumentError(`layer "${name}" takes ${layouts.length} inputs, got ${inputs.length}`)
  const nominal = evaluator.parameters.scaleAt(level)
  inputs.forEach((input, i) => {
    const { kind, ciphertexts } = layouts[i]!
    if (input.layout.kind !== kind || input.ciphertexts.length !== ciphertexts)
      throw new InvalidArgumentError(
        `layer "${name}": input ${i} should be ${ciphertexts} ciphertexts in ${kind} layout, got ${input.ciphertexts.length} in ${input.layout.kind} layout`,
      )
    for (const ciphertext of input.ciphertexts) {
      if (ciphertext.level !== level)
        throw new LevelError(
          `layer "${name}": prepared for level ${level}, got an input at level ${ciphertext.level}: bring it there with toLevel, or prepare the layer for its level`,
        )
      if (!sameScale(ciphertext.scale, nominal))
        throw new ScaleError(
          `layer "${name}": expected the nominal scale 2^${Math.log2(nominal).toFixed(4)} of level ${level}, got 2^${Math.log2(ciphertext.scale).toFixed(4)}: rescale before it, or use toLevel`,
        )
    }
  })
}
