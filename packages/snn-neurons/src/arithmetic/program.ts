/** A recurrence recorded as a straight line of operations: running it once on this recording arithmetic gives the list. */
import type { Instruction, Program, Register } from '@he-ml/float-kernels'
import type { Arithmetic } from './arithmetic.ts'

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
