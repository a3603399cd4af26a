import { InvalidArgumentError } from '@he-ml/ckks-core'
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { compileOptionsFor } from './make-plan.ts'
import { parseOptions, RESNET20, SHIPPED_MODEL } from './options.ts'

const quiet = () => new Command().configureOutput({ writeErr: () => {}, writeOut: () => {} })
const parse = (...args: string[]) => parseOptions(args, RESNET20, quiet())

describe('parseOptions', () => {
  it('runs a batch of the shipped network unless told otherwise', () => {
    const options = parse('--data', 'cifar')
    expect(options).toMatchObject({ model: SHIPPED_MODEL, data: 'cifar', batch: 64, images: 64, degree: 59 })
    expect(options.planOnly).toBe(false)
    expect(options.memory).toBeGreaterThan(1e8)
  })
  it('takes what it is told', () => {
    const options = parse(
      ...['--data', 'cifar', '--model', 'net.onnx', '--batch', '1', '--images', '3', '--degree', '27'],
      ...['--threads', '4', '--memory', '1.5', '--scratch', 'there', '--samples', '9', '--plan-only'],
    )
    expect(options).toEqual({
      ...{ data: 'cifar', model: 'net.onnx', batch: 1, images: 3, degree: 27 },
      ...{ threads: 4, memory: 1.5e9, scratch: 'there', samples: 9, planOnly: true },
    })
  })
  it('says which files it wants when there is no folder', () => {
    expect(() => parse()).toThrow(InvalidArgumentError)
    expect(() => parse('--plan-only')).toThrow(
      /--data FOLDER.*binary version.*test_batch\.bin.*data_batch_1\.bin.*\.gz/,
    )
  })
  it.each([
    ['--batch', '0'],
    ['--images', '1.5'],
    ['--degree', 'high'],
    ['--memory', '-1'],
    ['--unknown', '1'],
  ])('refuses %s %s', (name, value) => {
    expect(() => parse('--data', 'cifar', name, value)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^commander\./) }),
    )
  })
})

describe('compileOptionsFor', () => {
  it('leaves the packing to the planner', () => {
    const options = compileOptionsFor({ batch: 64, degree: 27 })
    expect(options).toMatchObject({ batch: 64, activation: { degree: 27 } })
    expect(options).not.toHaveProperty('packing')
  })
})
