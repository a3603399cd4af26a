import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { compileOptionsOf, declarePlan, type PlanOptions } from './plan-options.ts'

/** What a command line says to the compiler. */
function compileOptions(...words: readonly string[]) {
  const command = declarePlan(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
  command.parse(['-m', 'model.onnx', '-o', 'plan.json', ...words], { from: 'user' })
  return compileOptionsOf(command.opts<PlanOptions>())
}

describe('compileOptionsOf', () => {
  it('leaves to the compiler what nobody chose', () => {
    expect(compileOptions()).toEqual({
      activation: { degree: 27, margin: 1.25, method: 'least-squares' },
      packing: 'auto',
      bootstrapping: 'auto',
    })
    expect(compileOptions('--no-channel-polynomials').activation).toMatchObject({ perChannel: false })
  })

  it('hands on what was chosen, memory in bytes and a set by its name', () => {
    const chosen = ['--error', '0.01', '--packing', 'batch', '--batch', '8', '--log-n', '14', '--memory', '2.5']
    expect(compileOptions(...chosen, '--precision-bits', '6', '--bootstrapping', 'N16-B10')).toEqual({
      activation: { degree: 27, margin: 1.25, method: 'least-squares', error: 0.01 },
      packing: 'batch',
      batch: 8,
      logN: 14,
      memory: 2_500_000_000,
      precisionBits: 6,
      bootstrapping: { set: 'N16-B10' },
    })
    expect(compileOptions('--bootstrapping', 'never').bootstrapping).toBe('never')
    expect(compileOptions('--refresh-levels', '7').bootstrapping).toEqual({ levels: 7 })
    expect(compileOptions('--refresh-levels', '7', '--refresh-bits', '15').bootstrapping).toEqual({
      levels: 7,
      precisionBits: 15,
    })
    expect(() => compileOptions('--refresh-bits', '15')).toThrow(/nothing without --refresh-levels/)
    expect(() => compileOptions('--refresh-levels', '7', '--bootstrapping', 'never')).toThrow(/cannot be used with/)
  })

  it.each([
    ['--log-n', '17'],
    ['--memory', '0'],
    ['--bootstrapping', 'sometimes'],
    ['--refresh-levels', '0'],
  ])('%s %s is refused before anything is read', (option, value) => {
    expect(() => compileOptions(option, value)).toThrow(new RegExp(option))
  })
})
