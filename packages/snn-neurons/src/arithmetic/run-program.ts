/**
 * Straight-line programs over arrays, tile by tile: a tile's registers stay in the first-level cache, and every operation is
 * a plain loop over typed arrays. Storing to a Float32Array rounds after each operation, so that single-precision results
 * are those of any other IEEE implementation of the same formula in the same order.
 */
import type { Instruction, Program } from './program.ts'
import type { Reals } from './reals.ts'

/** Neurons per tile. */
const TILE = 1024

/** A run of values inside an array. */
interface Span {
  readonly values: Reals
  readonly start: number
}

/** Runs one program on arrays of one precision; holds the scratch registers. Not reentrant. */
export class ProgramRunner {
  readonly #program: Program
  readonly #round: (value: number) => number
  readonly #registers: Reals[]
  readonly #adjoints: Reals[]

  constructor(program: Program, precision: 'float32' | 'float64') {
    const make = () => (precision === 'float32' ? new Float32Array(TILE) : new Float64Array(TILE))
    this.#program = program
    this.#round = precision === 'float32' ? Math.fround : (value) => value
    this.#registers = program.instructions.map(make)
    this.#adjoints = Array.from({ length: program.inputs + program.instructions.length }, make)
  }

  /** output = program(x, y), element by element; output may be x or y. */
  forward(x: Reals, y: Reals, output: Reals): void {
    for (let start = 0; start < output.length; start += TILE) {
      const count = Math.min(TILE, output.length - start)
      const spans = this.#evaluate(x, y, start, count)
      const { values, start: from } = spans[this.#program.output]!
      for (let i = 0; i < count; i++) output[start + i] = values[from + i]!
    }
  }

  /**
   * Vector-Jacobian product: from the gradient of the output, those of the two inputs. The gradient arrays may be the
   * incoming one, but not each other.
   */
  backward(x: Reals, y: Reals, gradient: Reals, gradientX: Reals, gradientY: Reals): void {
    const { instructions, inputs, output } = this.#program
    for (let start = 0; start < gradient.length; start += TILE) {
      const count = Math.min(TILE, gradient.length - start)
      const spans = this.#evaluate(x, y, start, count)
      for (const adjoint of this.#adjoints) adjoint.fill(0, 0, count)
      const seed = this.#adjoints[output]!
      for (let i = 0; i < count; i++) seed[i] = gradient[start + i]!
      for (let k = instructions.length - 1; k >= 0; k--)
        pullBack(instructions[k]!, { spans, adjoints: this.#adjoints, result: inputs + k, count, round: this.#round })
      for (let i = 0; i < count; i++) gradientX[start + i] = this.#adjoints[0]![i]!
      for (let i = 0; i < count; i++) gradientY[start + i] = this.#adjoints[1]![i]!
    }
  }

  #evaluate(x: Reals, y: Reals, start: number, count: number): Span[] {
    const spans: Span[] = [
      { values: x, start },
      { values: y, start },
    ]
    for (const [k, instruction] of this.#program.instructions.entries()) {
      const result = this.#registers[k]!
      compute(instruction, spans, result, count, this.#round)
      spans.push({ values: result, start: 0 })
    }
    return spans
  }
}

function compute(
  instruction: Instruction,
  spans: readonly Span[],
  out: Reals,
  count: number,
  round: (value: number) => number,
): void {
  const { values: a, start: p } = spans[instruction.a]!
  if (instruction.kind === 'square') for (let i = 0; i < count; i++) out[i] = a[p + i]! * a[p + i]!
  else if (instruction.kind === 'scale') {
    const factor = round(instruction.constant)
    for (let i = 0; i < count; i++) out[i] = a[p + i]! * factor
  } else if (instruction.kind === 'addConstant') {
    const constant = round(instruction.constant)
    for (let i = 0; i < count; i++) out[i] = a[p + i]! + constant
  } else {
    const { values: b, start: q } = spans[instruction.b]!
    if (instruction.kind === 'add') for (let i = 0; i < count; i++) out[i] = a[p + i]! + b[q + i]!
    else if (instruction.kind === 'sub') for (let i = 0; i < count; i++) out[i] = a[p + i]! - b[q + i]!
    else for (let i = 0; i < count; i++) out[i] = a[p + i]! * b[q + i]!
  }
}

interface Sweep {
  readonly spans: readonly Span[]
  readonly adjoints: readonly Reals[]
  readonly result: number
  readonly count: number
  readonly round: (value: number) => number
}

/** Adds what one instruction's result owes to its operands. */
function pullBack(instruction: Instruction, { spans, adjoints, result, count, round }: Sweep): void {
  const g = adjoints[result]!
  const ga = adjoints[instruction.a]!
  const { values: a, start: p } = spans[instruction.a]!
  if (instruction.kind === 'square') for (let i = 0; i < count; i++) ga[i] = ga[i]! + 2 * a[p + i]! * g[i]!
  else if (instruction.kind === 'scale') {
    const factor = round(instruction.constant)
    for (let i = 0; i < count; i++) ga[i] = ga[i]! + factor * g[i]!
  } else if (instruction.kind === 'addConstant') for (let i = 0; i < count; i++) ga[i] = ga[i]! + g[i]!
  else {
    const gb = adjoints[instruction.b]!
    const { values: b, start: q } = spans[instruction.b]!
    if (instruction.kind === 'mul') {
      for (let i = 0; i < count; i++) ga[i] = ga[i]! + b[q + i]! * g[i]!
      for (let i = 0; i < count; i++) gb[i] = gb[i]! + a[p + i]! * g[i]!
    } else {
      const sign = instruction.kind === 'add' ? 1 : -1
      for (let i = 0; i < count; i++) ga[i] = ga[i]! + g[i]!
      for (let i = 0; i < count; i++) gb[i] = gb[i]! + sign * g[i]!
    }
  }
}
