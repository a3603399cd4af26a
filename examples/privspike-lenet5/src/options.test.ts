import { tmpdir } from 'node:os'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { parseOptions } from './options.ts'

const quiet = () => new Command().configureOutput({ writeErr: () => {}, writeOut: () => {} })
/** A folder that is there. */
const data = tmpdir()
const parse = (...args: string[]) => parseOptions(args, quiet(), data)

describe('parseOptions', () => {
  it('takes five digits one at a time unless told otherwise, from the shared data', () => {
    const options = parse()
    expect(options).toMatchObject({ model: 'mnist-lif-t2-grid', step: 'auto', inputs: 5, batch: 1, data })
    expect(options).toMatchObject({ out: 'demo-output/privspike', look: true, planOnly: false })
    expect(options.memory).toBeGreaterThan(1e8)
    expect(options).not.toHaveProperty('samples')
  })
  it('takes what it is told', () => {
    const options = parse(
      ...['--model', 'net.json', '--step', 'polynomial', '--inputs', '3', '--batch', '2', '--data', data],
      ...['--samples', '9', '--threads', '4', '--memory', '1.5', '--scratch', 'there', '--out', 'here'],
      ...['--no-look', '--plan-only'],
    )
    expect(options).toEqual({
      ...{ model: 'net.json', step: 'polynomial', inputs: 3, batch: 2, data, samples: 9 },
      ...{ threads: 4, memory: 1.5e9, scratch: 'there', out: 'here', look: false, planOnly: true },
    })
  })
  it('fills a batch', () => expect(parse('--batch', '16').inputs).toBe(16))
  it('says which files it wants when there is no folder', () => {
    expect(() => parse('--data', '/nowhere/mnist')).toThrow(InvalidArgumentError)
    expect(() => parseOptions(['--plan-only'], quiet(), '/nowhere')).toThrow(
      /^\/nowhere: .*--data FOLDER.*MNIST.*\.gz.*t10k-images.*train-labels/,
    )
  })
  it.each([
    ['--batch', '0'],
    ['--inputs', '1.5'],
    ['--step', 'hard'],
    ['--memory', '-1'],
    ['--unknown', '1'],
  ])('refuses %s %s', (name, value) => {
    expect(() => parse(name, value)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^commander\./) }))
  })
})
