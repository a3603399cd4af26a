/** A program of the pipeline keeps the rules, and every rule has something that breaks it. */
import { insecureParameters } from '@he-ml/ckks-core'
import type { LoweredLayer } from '@he-ml/packing'
import { createBatchLayout } from '@he-ml/packing'
import { beforeAll, describe, expect, it } from 'vitest'
import { compileInsecure, deepChain, images } from '../pipeline.test-helper.ts'
import { fit } from '../ready/fit.ts'
import { checkProgram } from './check-program.ts'
import type { Program } from './program.ts'
import { ProgramError, type ProgramRule } from './program-error.ts'
import { isRefresh, type LayerTask, type Task } from './task.ts'
import type { Value } from './value.ts'

let program: Program
beforeAll(async () => {
  const model = deepChain(5)
  const calibration = await fit(model, images(5))
  program = (await compileInsecure(model, 5, { calibration, activation: { degree: 7, margin: 1.3 } })).program
})

/** With the task at a place changed. */
const withTask = (at: number, change: Partial<LayerTask>): Program => ({
  ...program,
  tasks: program.tasks.map((task, i) => (i === at ? ({ ...task, ...change } as Task) : task)),
})
const withValue = (id: string, change: Partial<Value>): Program => ({
  ...program,
  values: new Map([...program.values].map(([key, value]) => [key, key === id ? { ...value, ...change } : value])),
})
const refreshAt = () => program.tasks.findIndex(isRefresh)

describe('the rules', () => {
  it('are kept by what compile makes; a refresh writes a new value that readers after it take', () => {
    checkProgram(program)
    const at = refreshAt()
    const { reads, writes } = program.tasks[at]!
    expect(writes[0]).toBe(`${reads[0]![0]}, refreshed`)
    expect(program.tasks.slice(at + 1).flatMap((task) => task.reads.flat())).toContain(writes[0])
    expect(program.values.get(reads[0]![0]!)!.tensor).toBe(program.values.get(writes[0]!)!.tensor)
  })

  it.each<[string, ProgramRule, () => Program]>([
    ['a value read before it is written', 'order', () => ({ ...program, tasks: program.tasks.toReversed() })],
    [
      'a value written twice',
      'single assignment',
      () => withTask(2, { ...program.tasks[0], id: 'again' } as LayerTask),
    ],
    ['two tasks of one name', 'name', () => withTask(1, { id: program.tasks[0]!.id })],
    ['a value that nobody knows', 'name', () => withTask(1, { reads: [['nobody']] })],
    ['a task above what it reads', 'level', () => withTask(1, { level: 50 })],
    ['a layer below its depth', 'level', () => withTask(1, { level: 0 })],
    ['another level than the circuit leaves', 'level', () => withValue('conv0', { level: 7 })],
    ['an operand without values', 'operand', () => withTask(1, { reads: [[]] })],
    ['another half of an operand', 'operand', () => withValue('conv0', { part: { first: 1, count: 1 } })],
    ['weights that are not there', 'weights', () => withTask(1, { weights: ['nobody'] })],
    ['weights of another circuit', 'weights', () => withTask(0, { weights: program.tasks[1]!.weights })],
    ['more results than the circuit has', 'output', () => withTask(0, { writes: ['conv0', 'act0'] })],
    ['a refresh of a range that is not prepared', 'weights', () => ({ ...program, circuits: [] })],
    [
      'a refresh that gives something else',
      'output',
      () => withValue(program.tasks[refreshAt()]!.writes[0]!, { tensor: 'x' }),
    ],
    ['an output that nothing writes', 'output', () => ({ ...program, tasks: program.tasks.slice(0, -1) })],
  ])('%s is refused', (_, rule, make) => {
    const error = (() => {
      try {
        checkProgram(make())
      } catch (e) {
        return e
      }
      return undefined
    })()
    expect(error).toBeInstanceOf(ProgramError)
    expect((error as ProgramError).rule).toBe(rule)
  })
})

describe('tiles, sub-batches and time steps', () => {
  const { maxSlots } = insecureParameters({ logN: 10, levels: 3, scaleBits: 40 })
  const whole = createBatchLayout([4], { slots: maxSlots })
  const half = createBatchLayout([2], { slots: maxSlots })
  const none = (): never => {
    throw new Error('not run here')
  }
  const circuit = (name: string, outputs: LoweredLayer['outputs'], depth = 1): LoweredLayer => ({
    name,
    outputs,
    depth,
    prepare: none,
  })
  const value = (id: string, level: number, layout = whole, part = { first: 0, count: layout.ciphertexts }): Value => ({
    id,
    tensor: id.split('[')[0]!,
    layout,
    part,
    level,
  })
  const build = (
    tasks: readonly Pick<LayerTask, 'id' | 'circuit' | 'reads' | 'writes' | 'level'>[],
    values: readonly Value[],
  ): Program => ({
    tasks: tasks.map((task) => ({ ...task, kind: 'layer', layer: task.id, weights: [task.circuit.name], keys: [] })),
    values: new Map(values.map((v) => [v.id, v])),
    weights: new Map(
      tasks.map(({ circuit: c, level }) => [c.name, { kind: 'layer', id: c.name, circuit: c, level }] as const),
    ),
    circuits: [],
    functionals: [],
    input: { values: [values[0]!], layout: values[0]!.layout, whole: values[0]!.layout, level: values[0]!.level },
    output: values.at(-1)!,
  })

  it('two tiles write the halves of a result, and a reader takes both as one operand', () => {
    const tiles = [circuit('top', [half]), circuit('bottom', [half])] as const
    const values = [
      value('x', 3),
      value('y[0]', 2, whole, { first: 0, count: 2 }),
      value('y[1]', 2, whole, { first: 2, count: 2 }),
      value('z', 1),
    ]
    const tasks = [
      { id: 'top', circuit: tiles[0], reads: [['x']], writes: ['y[0]'], level: 3 },
      { id: 'bottom', circuit: tiles[1], reads: [['x']], writes: ['y[1]'], level: 3 },
      { id: 'next', circuit: circuit('next', [whole]), reads: [['y[0]', 'y[1]']], writes: ['z'], level: 2 },
    ]
    checkProgram(build(tasks, values))
    const crossed = tasks.with(2, { ...tasks[2]!, reads: [['y[1]', 'y[0]']] })
    expect(() => checkProgram(build(crossed, values))).toThrow(/expected ciphertext 0 of "y"/)
    const missing = tasks.with(2, { ...tasks[2]!, reads: [['y[0]']] })
    expect(() => checkProgram(build(missing, values))).toThrow(/reads 2 of the 4 ciphertexts of "y"/)
  })

  it('a split gives several values of one, a merge one of several', () => {
    const values = [value('x', 3), value('a', 2, half), value('b', 2, half), value('y', 1)]
    const tasks = [
      { id: 'split', circuit: circuit('split', [half, half]), reads: [['x']], writes: ['a', 'b'], level: 3 },
      { id: 'merge', circuit: circuit('merge', [whole]), reads: [['a'], ['b']], writes: ['y'], level: 2 },
    ]
    checkProgram(build(tasks, values))
  })

  it('time steps of a layer share its circuit and weights, and hand their state on', () => {
    const neuron = circuit('lif', [whole, whole], 0)
    const values = ['x', 'spike[0]', 'state[0]', 'spike[1]', 'state[1]', 'y'].map((id) => value(id, id === 'y' ? 0 : 1))
    const step = (t: number, reads: readonly string[]) => ({
      id: `lif[${t}]`,
      circuit: neuron,
      reads: reads.map((id) => [id]),
      writes: [`spike[${t}]`, `state[${t}]`],
      level: 1,
    })
    const sum = {
      id: 'sum',
      circuit: circuit('sum', [whole]),
      reads: [['spike[0]'], ['spike[1]']],
      writes: ['y'],
      level: 1,
    }
    const made = build([step(0, ['x']), step(1, ['x', 'state[0]']), sum], values)
    checkProgram(made)
    expect([...made.weights.keys()]).toEqual(['lif', 'sum'])
  })
})
