import { checkArgument, type OptionCheck } from '@he-ml/ckks-core'

/** Holds what a caller's function made to what it is to make; another thing is ended, where it can be. @throws InvalidArgumentError */
export async function assertMade(call: string, by: string, made: unknown, check: OptionCheck): Promise<void> {
  try {
    checkArgument(call, `what ${by} gives`, made, check)
  } catch (error) {
    await (made as Partial<{ dispose(): Promise<void> }> | null | undefined)?.dispose?.()
    throw error
  }
}
