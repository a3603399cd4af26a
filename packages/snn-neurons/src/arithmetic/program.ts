/**
 * A recurrence recorded as a straight line of operations. Running the recurrence once on this recording arithmetic gives a
 * list that loops over arrays can follow forwards (values) and backwards (vector-Jacobian products): see run-program.ts.
 */
import type { Arithmetic } from './arithmetic.ts'

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

/** Runs `body` symbolically on two inputs. Factors of 1 and constants of 0 leave no instruction. */
export function recordProgram(body: (a: Arithmetic<Register>, x: Register, y: Register) => Register): Program {
  const inputs = 2
  const instructions: Instruction[] = []
  const emit = (instruction: Instruction): Register => inputs + instructions.push(instruction) - 1
  const output = body(
    {
      add: (a, b) => emit({ kind: 'add', a, b }),
      sub: (a, b) => emit({ kind: 'sub', a, b }),
      mul: (a, b) => emit({ kind: 'mul', a, b }),
      square: (a) => emit({ kind: 'square', a }),
      scale: (a, constant) => (constant === 1 ? a : emit({ kind: 'scale', a, constant })),
      addConstant: (a, constant) => (constant === 0 ? a : emit({ kind: 'addConstant', a, constant })),
    },
    0,
    1,
  )
  return { inputs, instructions, output }
}
