/** Neurons as numbers that the addon reads: programs as words and constants, sizes, thresholds. Checked here for good messages; the addon checks again. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Instruction, Program } from '../neurons/program.ts'
import type { SurrogateDescription } from '../neurons/surrogate-gradient.ts'
import type { NeuronTask } from '../port/neuron-tasks.ts'
import { checkFinite, checkSizes } from './checks.ts'

const MOST_INSTRUCTIONS = 64
/** In the order of native/float/loops.h. */
const OPERATIONS: readonly Instruction['kind'][] = ['add', 'sub', 'mul', 'square', 'scale', 'addConstant']
const SURROGATES: readonly Required<SurrogateDescription>['kind'][] = ['rectangle', 'fastSigmoid', 'arctangent']

/** inputs, output, then operation, a and b of every instruction; and one constant each. */
export interface EncodedProgram {
  readonly words: Uint32Array
  readonly constants: Float64Array
}

/** @throws InvalidArgumentError naming what is wrong */
function encodeProgram(where: string, { inputs, instructions, output }: Program): EncodedProgram {
  if (inputs !== 2) throw new InvalidArgumentError(`${where}: inputs: expected 2, got ${inputs}`)
  if (instructions.length > MOST_INSTRUCTIONS)
    throw new InvalidArgumentError(
      `${where}: expected at most ${MOST_INSTRUCTIONS} instructions, got ${instructions.length}`,
    )
  const words = [inputs, checkRegister(`${where}: output`, output, inputs + instructions.length)]
  const constants = new Float64Array(instructions.length)
  for (const [k, instruction] of instructions.entries()) {
    const at = `${where}: instruction ${k}`
    const operation = OPERATIONS.indexOf(instruction.kind)
    if (operation < 0)
      throw new InvalidArgumentError(
        `${at}: expected one of ${OPERATIONS.join(', ')}, got ${JSON.stringify(instruction.kind)}`,
      )
    words.push(operation, checkRegister(`${at}: a`, instruction.a, inputs + k))
    words.push('b' in instruction ? checkRegister(`${at}: b`, instruction.b, inputs + k) : 0)
    if (!('constant' in instruction)) continue
    checkFinite(at, 'constant', instruction.constant)
    constants[k] = instruction.constant
  }
  return { words: Uint32Array.from(words), constants }
}

function checkRegister(where: string, register: number, count: number): number {
  if (Number.isInteger(register) && register >= 0 && register < count) return register
  throw new InvalidArgumentError(`${where}: expected a register below ${count}, got ${register}`)
}

const isEven = (count: number): boolean => count >= 2 && count <= 2 ** 32 && count % 2 === 0

/** What both directions pass to the addon. */
export interface EncodedModel {
  readonly charge: EncodedProgram
  readonly reset: EncodedProgram
  /** timeSteps, inputSteps, neurons. */
  readonly sizes: readonly number[]
  /** threshold, step and count of the grid (0 without one). */
  readonly numbers: readonly number[]
  /** Values over time and of the input. */
  readonly lengths: { readonly steps: number; readonly inputs: number }
}

/** @throws InvalidArgumentError naming what is wrong */
export function encodeModel(operation: string, model: NeuronTask<Float32Array>): EncodedModel {
  const { threshold, grid, timeSteps, inputSteps, input } = model
  checkSizes(operation, { timeSteps })
  if (timeSteps === 0) throw new InvalidArgumentError(`${operation}: timeSteps: expected at least 1, got 0`)
  if (inputSteps !== 1 && inputSteps !== timeSteps)
    throw new InvalidArgumentError(`${operation}: inputSteps: expected 1 or ${timeSteps}, got ${inputSteps}`)
  if (!(input instanceof Float32Array && input.length % inputSteps === 0))
    throw new InvalidArgumentError(
      `${operation}: input: expected a Float32Array whose length is a multiple of ${inputSteps}, got ${input?.length}`,
    )
  checkFinite(operation, 'threshold', threshold)
  const validGrid = !grid || (grid.step > 0 && Number.isFinite(grid.step) && isEven(grid.count))
  if (!validGrid)
    throw new InvalidArgumentError(
      `${operation}: grid: expected a positive step and an even number of points up to 2^32, got ${grid.step} and ${grid.count}`,
    )
  const size = input.length / inputSteps
  return {
    charge: encodeProgram(`${operation}: charge`, model.charge),
    reset: encodeProgram(`${operation}: reset`, model.reset),
    sizes: [timeSteps, inputSteps, size],
    numbers: [threshold, grid?.step ?? 0, grid?.count ?? 0],
    lengths: { steps: timeSteps * size, inputs: input.length },
  }
}

/** @throws InvalidArgumentError unless finite and not negative */
export function checkPull(operation: string, pull: number): void {
  if (!(pull >= 0 && Number.isFinite(pull)))
    throw new InvalidArgumentError(`${operation}: pull: expected a finite number from 0, got ${pull}`)
}

/** Index of the kind. @throws InvalidArgumentError for an unknown kind, a width that is not positive, an infinite height */
export function encodeSurrogate(operation: string, { kind, width, height }: Required<SurrogateDescription>): number {
  const index = SURROGATES.indexOf(kind)
  if (index < 0 || !(width > 0 && Number.isFinite(width)) || !Number.isFinite(height))
    throw new InvalidArgumentError(
      `${operation}: surrogate: expected one of ${SURROGATES.join(', ')} with a positive width and a finite height, ` +
        `got ${JSON.stringify({ kind, width, height })}`,
    )
  return index
}
