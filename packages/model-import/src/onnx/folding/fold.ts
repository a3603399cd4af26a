import type { Constant } from '../constant.ts'
import type { Operation } from '../operation.ts'

/** What an operator makes of constants: its output, or its outputs. */
export type Fold = (operation: Operation) => Constant | readonly Constant[]
