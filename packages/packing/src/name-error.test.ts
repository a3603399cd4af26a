import { CancelledError, MissingKeyError, PlanError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { nameError } from './name-error.ts'

describe('nameError', () => {
  it('keeps class, code and cause', () => {
    const cause = new MissingKeyError('rotate: no rotation key')
    const named = nameError('conv1', cause) as MissingKeyError
    expect(named).toBeInstanceOf(MissingKeyError)
    expect([named.message, named.code, named.cause]).toEqual([
      'layer "conv1": rotate: no rotation key',
      'MissingKey',
      cause,
    ])
    const plan = nameError('act', new PlanError('range', 'too steep')) as PlanError
    expect([plan.reason, plan.message]).toEqual(['range', 'layer "act": too steep'])
  })
  it('leaves alone what is named, and what is not ours', () => {
    const named = new CancelledError('"conv1" was cancelled')
    expect(nameError('conv1', named)).toBe(named)
    const other = new TypeError('x')
    expect(nameError('conv1', other)).toBe(other)
  })
})
