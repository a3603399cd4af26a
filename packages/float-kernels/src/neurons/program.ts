/** A recurrence as a straight line of operations on two inputs: what every kernel for neurons can run, forwards and backwards. */

/** Index of a register: the inputs come first, then one for every instruction. */
export type Register = number

/** One operation on registers; its result is the register after all earlier ones. */
export type Instruction =
  | {
      /** a + b, a - b or a b. */
      readonly kind: 'add' | 'sub' | 'mul'
      /** First operand. */
      readonly a: Register
      /** Second operand. */
      readonly b: Register
    }
  | {
      /** a a. */
      readonly kind: 'square'
      /** Operand. */
      readonly a: Register
    }
  | {
      /** a times the constant. */
      readonly kind: 'scale'
      /** Operand. */
      readonly a: Register
      /** Finite. */
      readonly constant: number
    }
  | {
      /** a plus the constant. */
      readonly kind: 'addConstant'
      /** Operand. */
      readonly a: Register
      /** Finite. */
      readonly constant: number
    }

/** Instructions in order, and the register that holds the result. */
export interface Program {
  /** How many inputs there are: the first registers. */
  readonly inputs: number
  /** In the order in which they run. */
  readonly instructions: readonly Instruction[]
  /** Which register holds the result. */
  readonly output: Register
}
