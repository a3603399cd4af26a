/** The rules of the form: every value written once and before it is read, operands whole, levels consistent, the output there. */
import { layerLevels } from './layer-levels.ts'
import { inputIds, type Program, type ProgramCircuit } from './program.ts'
import { ProgramError } from './program-error.ts'
import { refreshLevels } from './refresh-shape.ts'
import { isRefresh, type LayerTask, type RefreshTask, type Task } from './task.ts'
import type { Operand, Value, ValueId } from './value.ts'

/**
 * Checks a program whole.
 * @throws ProgramError naming the rule, the task and the value
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { checkProgram, compileAndBind } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const { program } = await compileAndBind(model)
 * checkProgram(program) // compile and bindPlan have done so
 * assert.throws(() => checkProgram({ ...program, tasks: [] }), /nothing writes the output/)
 * ```
 */
export function checkProgram(program: Program): void {
  const written = new Set<ValueId>(inputIds(program))
  const names = new Set<string>()
  for (const task of program.tasks) {
    if (names.has(task.id)) throw new ProgramError('name', `two tasks are called "${task.id}"`)
    names.add(task.id)
    for (const operand of task.reads) checkOperand(program, task, operand, written)
    checkWeights(program, task)
    if (isRefresh(task)) checkRefresh(program, task)
    else checkLayer(program, task)
    for (const id of task.writes) {
      if (written.has(id)) throw new ProgramError('single assignment', `task "${task.id}" writes "${id}" again`)
      written.add(id)
    }
  }
  const known = program.values.get(program.output.id)
  if (known !== program.output || !written.has(program.output.id))
    throw new ProgramError('output', `nothing writes the output "${program.output.id}"`)
}

function findValue({ values }: Program, task: Task, id: ValueId): Value {
  const value = values.get(id)
  if (!value) throw new ProgramError('name', `task "${task.id}" names the value "${id}", which is not in the table`)
  return value
}

function checkOperand(program: Program, task: Task, operand: Operand, written: ReadonlySet<ValueId>): void {
  if (operand.length === 0) throw new ProgramError('operand', `task "${task.id}" has an operand without values`)
  const parts = operand.map((id) => findValue(program, task, id))
  let next = 0
  const [{ layout, tensor }] = parts as [Value]
  for (const value of parts) {
    if (!written.has(value.id))
      throw new ProgramError('order', `task "${task.id}" reads "${value.id}" before it is written`)
    if (value.level < task.level)
      throw new ProgramError(
        'level',
        `task "${task.id}" reads "${value.id}" at level ${task.level}, it has ${value.level}: refresh it, or run the task lower`,
      )
    if (value.part.first !== next || value.layout !== layout)
      throw new ProgramError(
        'operand',
        `task "${task.id}": "${value.id}" holds ciphertexts from ${value.part.first} on, expected ciphertext ${next} of "${tensor}"`,
      )
    next += value.part.count
  }
  if (next !== layout.ciphertexts)
    throw new ProgramError(
      'operand',
      `task "${task.id}" reads ${next} of the ${layout.ciphertexts} ciphertexts of "${tensor}"`,
    )
}

function checkWeights({ weights }: Program, task: Task): void {
  const missing = task.weights.find((id) => !weights.has(id))
  if (missing !== undefined)
    throw new ProgramError('weights', `task "${task.id}" needs the weights "${missing}", which are not in the table`)
}

function checkLayer(program: Program, task: LayerTask): void {
  const { circuit, level, writes } = task
  const { needs, gives } = layerLevels(circuit, program.functionals)
  if (level < needs) throw new ProgramError('level', `task "${task.id}" needs level ${needs}, it runs at ${level}`)
  const own = task.weights.map((id) => program.weights.get(id)!).find((w) => w.kind === 'layer')
  if (own?.circuit !== circuit || own.level !== level)
    throw new ProgramError('weights', `task "${task.id}" has no weights of its circuit at level ${level}`)
  if (writes.length !== circuit.outputs.length)
    throw new ProgramError('output', `task "${task.id}" writes ${writes.length} values of ${circuit.outputs.length}`)
  for (const [i, id] of writes.entries()) {
    const value = findValue(program, task, id)
    checkLevel(task, value, gives(level))
    if (value.part.count !== circuit.outputs[i]!.ciphertexts)
      throw new ProgramError(
        'output',
        `task "${task.id}": its circuit gives ${circuit.outputs[i]!.ciphertexts} ciphertexts, "${id}" has ${value.part.count}`,
      )
  }
}

function checkRefresh(program: Program, task: RefreshTask): void {
  const { circuit, shape, range } = task.refresh
  const used: ProgramCircuit | undefined = program.circuits[circuit]
  if (!used?.ranges.includes(range))
    throw new ProgramError('weights', `task "${task.id}": circuit ${circuit} is not there for the range ${range}`)
  const { needs, gives } = refreshLevels(used.bootstrapping, shape.merge)
  if (task.level !== needs)
    throw new ProgramError('level', `task "${task.id}" runs at level ${task.level}, its circuit at ${needs}`)
  if (task.writes.length !== task.reads.length)
    throw new ProgramError('output', `task "${task.id}" writes ${task.writes.length} values of ${task.reads.length}`)
  for (const [i, id] of task.writes.entries()) {
    const [before] = task.reads[i]!.map((read) => findValue(program, task, read))
    const value = findValue(program, task, id)
    checkLevel(task, value, gives)
    if (value.layout !== before!.layout || value.tensor !== before!.tensor)
      throw new ProgramError('output', `task "${task.id}": "${id}" is not "${before!.id}" refreshed`)
  }
}

function checkLevel(task: Task, { id, level }: Value, gives: number): void {
  if (level !== gives)
    throw new ProgramError('level', `task "${task.id}" leaves "${id}" at level ${gives}, the table says ${level}`)
}
