/**
 * Straight-line programs over a tile of values: registers of a tile stay in the first-level cache, and every operation is a
 * plain loop over typed arrays. Storing to a Float32Array rounds after each operation, so that single-precision results are
 * those of any other IEEE implementation of the same formula in the same order.
 */

import type { Reals } from '../reals.ts'
import type { Instruction, Program, Register } from './program.ts'

/** Most values in a tile. */
export const TILE = 1024

/** Runs one program on tiles of one precision; holds the scratch registers. Not reentrant. */
export class ProgramRunner {
  readonly #program: Program
  readonly #constants: readonly number[]
  readonly #make: () => Reals
  /** Values of all registers; the inputs' are the caller's arrays. */
  readonly #registers: Reals[] = []
  readonly #adjoints: Reals[] = []

  constructor(program: Program, precision: 'float32' | 'float64') {
    this.#program = program
    this.#make = () => (precision === 'float32' ? new Float32Array(TILE) : new Float64Array(TILE))
    const round = precision === 'float32' ? Math.fround : (value: number) => value
    this.#constants = program.instructions.map((i) => ('constant' in i ? round(i.constant) : 0))
    for (const _ of program.instructions) this.#registers.push(this.#make())
  }

  /** output = program(x, y), element by element, up to TILE of them; output may be x or y. */
  forward(x: Reals, y: Reals, output: Reals): void {
    const { instructions, inputs, output: result } = this.#program
    const registers = [x, y, ...this.#registers]
    const last = result >= inputs && result === registers.length - 1
    if (last) registers[result] = output
    for (const [k, instruction] of instructions.entries())
      compute(instruction, registers, registers[inputs + k]!, this.#constants[k]!, output.length)
    if (!last && registers[result] !== output) output.set(registers[result]!.subarray(0, output.length))
  }

  /**
   * Vector-Jacobian product at x, y: from the gradient of the output, those of the two inputs, which may be the incoming
   * one, but not each other.
   */
  backward(x: Reals, y: Reals, gradient: Reals, gradientX: Reals, gradientY: Reals): void {
    const { instructions, inputs, output } = this.#program
    const count = gradient.length
    const registers = [x, y, ...this.#registers]
    for (const [k, instruction] of instructions.entries())
      compute(instruction, registers, registers[inputs + k]!, this.#constants[k]!, count)
    while (this.#adjoints.length < registers.length) this.#adjoints.push(this.#make())
    const adjoints = this.#adjoints
    adjoints[output]!.set(gradient)
    const reached = registers.map((_, register) => register === output)
    const sweep: Sweep = { registers, adjoints, reached, count }
    for (let k = instructions.length - 1; k >= 0; k--)
      if (reached[inputs + k]) pullBack(instructions[k]!, this.#constants[k]!, adjoints[inputs + k]!, sweep)
    for (const [input, out] of [gradientX, gradientY].entries())
      if (reached[input]) out.set(adjoints[input]!.subarray(0, count))
      else out.fill(0)
  }
}

function compute(instruction: Instruction, registers: readonly Reals[], out: Reals, constant: number, count: number) {
  const a = registers[instruction.a]!
  switch (instruction.kind) {
    case 'square':
      return product(a, a, out, count)
    case 'scale':
      return multiple(a, constant, out, count)
    case 'addConstant':
      return shift(a, constant, out, count)
    case 'add':
      return sum(a, registers[instruction.b]!, out, count)
    case 'sub':
      return difference(a, registers[instruction.b]!, out, count)
    case 'mul':
      return product(a, registers[instruction.b]!, out, count)
  }
}

interface Sweep {
  readonly registers: readonly Reals[]
  readonly adjoints: readonly Reals[]
  /** Registers whose adjoint holds something; the first contribution is stored, the others are added. */
  readonly reached: boolean[]
  readonly count: number
}

/** Hands the adjoint g of one instruction's result to its operands. */
function pullBack(instruction: Instruction, constant: number, g: Reals, sweep: Sweep) {
  const { registers } = sweep
  const { a } = instruction
  switch (instruction.kind) {
    case 'square':
      addProduct(sweep, a, g, registers[a]!)
      return addProduct(sweep, a, g, registers[a]!)
    case 'scale':
      return addMultiple(sweep, a, g, constant)
    case 'addConstant':
      return addMultiple(sweep, a, g, 1)
    case 'mul':
      addProduct(sweep, a, g, registers[instruction.b]!)
      return addProduct(sweep, instruction.b, g, registers[a]!)
    case 'add':
    case 'sub':
      addMultiple(sweep, a, g, 1)
      return addMultiple(sweep, instruction.b, g, instruction.kind === 'add' ? 1 : -1)
  }
}

/** adjoint += factor g */
function addMultiple({ adjoints, reached, count }: Sweep, to: Register, g: Reals, factor: number): void {
  const out = adjoints[to]!
  if (reached[to]) accumulateMultiple(g, factor, out, count)
  else if (factor === 1) out.set(g)
  else multiple(g, factor, out, count)
  reached[to] = true
}

/** adjoint += g value */
function addProduct({ adjoints, reached, count }: Sweep, to: Register, g: Reals, value: Reals): void {
  const out = adjoints[to]!
  if (reached[to]) accumulateProduct(g, value, out, count)
  else product(g, value, out, count)
  reached[to] = true
}

// one function per loop: each is compiled for the arrays that it meets

function sum(a: Reals, b: Reals, out: Reals, count: number): void {
  for (let i = 0; i < count; i++) out[i] = a[i]! + b[i]!
}
function difference(a: Reals, b: Reals, out: Reals, count: number): void {
  for (let i = 0; i < count; i++) out[i] = a[i]! - b[i]!
}
function product(a: Reals, b: Reals, out: Reals, count: number): void {
  for (let i = 0; i < count; i++) out[i] = a[i]! * b[i]!
}
function multiple(a: Reals, factor: number, out: Reals, count: number): void {
  for (let i = 0; i < count; i++) out[i] = a[i]! * factor
}
function shift(a: Reals, constant: number, out: Reals, count: number): void {
  for (let i = 0; i < count; i++) out[i] = a[i]! + constant
}
function accumulateMultiple(a: Reals, factor: number, out: Reals, count: number): void {
  for (let i = 0; i < count; i++) out[i] = out[i]! + factor * a[i]!
}
function accumulateProduct(a: Reals, b: Reals, out: Reals, count: number): void {
  for (let i = 0; i < count; i++) out[i] = out[i]! + a[i]! * b[i]!
}
