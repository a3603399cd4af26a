/** A recurrence as a straight line of operations on two inputs: what every kernel for neurons can run, forwards and backwards. */

/** Index of a register: the inputs come first, then one for every instruction. */
export type Register = number

/** One operation on registers; its result is the register after all earlier ones. */
export type Instruction =
  | { readonly kind: 'add' | 'sub' | 'mul'; readonly a: Register; readonly b: Register }
  | { readonly kind: 'square'; readonly a: Register }
  | { readonly kind: 'scale'; readonly a: Register; readonly constant: number }
  | { readonly kind: 'addConstant'; readonly a: Register; readonly constant: number }

/** Instructions in order, and the register that holds the result. */
export interface Program {
  readonly inputs: number
  readonly instructions: readonly Instruction[]
  readonly output: Register
}
