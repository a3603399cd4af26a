import { CancelledError, FormatError, InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import { DatasetFormatError } from '@he-ml/datasets'
import { describe, expect, it } from 'vitest'
import { describeFailure } from './failures.ts'

describe('describeFailure', () => {
  it.each([
    [new InvalidArgumentError('a'), 2],
    [new FormatError('a'), 3],
    [new DatasetFormatError('a'), 3],
    [new UnsupportedError('a'), 10],
    [new CancelledError('a'), 130],
    [Object.assign(new Error('a'), { code: 'ENOENT', syscall: 'open' }), 9],
  ])('%o is a line', (error, exitCode) => expect(describeFailure(error)).toEqual({ text: 'a', exitCode }))
  it('shows the stack of a defect', () => {
    const error = new TypeError('a defect')
    expect(describeFailure(error)).toEqual({ text: error.stack, exitCode: 1 })
    expect(describeFailure('thrown')).toEqual({ text: 'thrown', exitCode: 1 })
  })
  it('leaves commander to speak for itself', () => {
    const failure = (code: string) => describeFailure(Object.assign(new Error('usage'), { code }))
    expect(failure('commander.unknownOption')).toEqual({ text: undefined, exitCode: 2 })
    expect(failure('commander.helpDisplayed')).toEqual({ text: undefined, exitCode: 0 })
  })
})
