import { readFile } from 'node:fs/promises'
import { InvalidArgumentError, PlanError } from '@he-ml/ckks-core'
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { declarePlan } from '../commands/plan-options.ts'
import { callerWords, inCallerWords } from './caller-words.ts'

describe('refusals in the words of the command line', () => {
  it('name flags instead of options', () => {
    expect(
      callerWords(
        'lower the option activation.degree or the option scaleBits, or set the option bootstrapping to always',
      ),
    ).toBe('lower --degree or --scale-bits, or set --bootstrapping to always')
    expect(callerWords('give the option bootstrapping.levels more levels; raise the option memory.')).toBe(
      'give --refresh-levels more levels; raise --memory.',
    )
    expect(callerWords('no range: pass what fit(model, data) gives as the option calibration')).toBe(
      'no range: give calibration images of this model with --data',
    )
    expect(callerWords('raise the option baseBits, or scale down')).toBe(
      'raise the option baseBits of compile (no flag sets it), or scale down',
    )
  })
  it('have flags that there are', async () => {
    const flags = declarePlan(new Command()).options.map(({ long }) => long)
    const source = await readFile(new URL('./caller-words.ts', import.meta.url), 'utf8')
    const named = [...source.matchAll(/'(--[a-z-]+)'/g)].map(([, flag]) => flag)
    expect(named.length).toBeGreaterThan(10)
    for (const flag of named) expect(flags).toContain(flag)
  })
  it('keep their reason and their cause, and leave other failures alone', () => {
    const refusal = new PlanError('levels', 'lower the option activation.degree')
    const told = inCallerWords(refusal) as PlanError
    expect(told).toBeInstanceOf(PlanError)
    expect([told.reason, told.message, told.cause]).toEqual(['levels', 'lower --degree', refusal])
    const plain = new PlanError('range', 'nothing to say')
    const other = new InvalidArgumentError('the option scaleBits')
    for (const failure of [plain, other, undefined]) expect(inCallerWords(failure)).toBe(failure)
  })
})
