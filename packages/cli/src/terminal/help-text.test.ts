import { expect, it } from 'vitest'
import { createProgram } from '../program.ts'
import { EXPLAINED, helpText } from './help-text.ts'

it('every command has an example, whose options it knows', () => {
  const { commands } = createProgram()
  expect(commands.map((command) => command.name()).sort()).toEqual([...EXPLAINED].sort())
  for (const command of commands) {
    const text = helpText(command.name())
    const lines = text.split('\n').filter((line) => line.startsWith('  he-ml '))
    expect(lines.length, command.name()).toBeGreaterThan(0)
    const known = command.options.map(({ long }) => long)
    for (const line of lines) {
      expect(line).toMatch(new RegExp(`^ {2}he-ml ${command.name()} `))
      const given = [...line.matchAll(/--[\w-]+/g)].map(([option]) => option)
      expect(known).toEqual(expect.arrayContaining(given))
      const required = command.options.filter(({ mandatory }) => mandatory).map(({ long }) => long)
      expect(given).toEqual(expect.arrayContaining(required))
    }
    expect(text).toMatch(/Exit codes: 0 done/)
  }
})
