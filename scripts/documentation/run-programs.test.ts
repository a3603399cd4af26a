import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runPrograms } from './run-programs.mjs'

/** Failures of programs, by their names. */
async function failuresOf(programs: Readonly<Record<string, string>>): Promise<Map<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'programs-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const files = Object.entries(programs).map(([name, text]) => {
    writeFileSync(join(folder, `${name}.mjs`), text)
    return join(folder, `${name}.mjs`)
  })
  const failures = await runPrograms(files, { processes: 1 })
  return new Map([...failures].map(([file, why]) => [file.replace(/.*\/|\.mjs$/g, ''), why]))
}

describe('runPrograms', () => {
  it('says nothing of programs that run to their end', async () => {
    expect(await failuresOf({ one: 'console.log(1)', two: 'await new Promise((r) => setImmediate(r))' })).toEqual(
      new Map(),
    )
    expect(await failuresOf({})).toEqual(new Map())
  })

  it('names those that throw, that reject unheard, and that set an exit code, with what they wrote', async () => {
    const failures = await failuresOf({
      good: '',
      throws: "console.log('before'); throw new Error('because')",
      rejects: "Promise.reject(new Error('unheard'))",
      code: 'process.exitCode = 3',
      last: '',
    })
    expect([...failures.keys()].sort()).toEqual(['code', 'rejects', 'throws'])
    expect(failures.get('throws')).toMatch(/^before\n.*because/s)
    expect(failures.get('rejects')).toMatch(/unheard/)
    expect(failures.get('code')).toMatch(/exit code 3/)
  })

  it('goes on after a program that ends its process', async () => {
    const failures = await failuresOf({ ends: 'process.exit(0)', good: '', bad: "throw new Error('still run')" })
    expect([...failures.keys()].sort()).toEqual(['bad', 'ends'])
    expect(failures.get('ends')).toMatch(/the process ended: 0/)
  })

  it('says that a process fails when it ends', async () => {
    const late = "process.on('exit', () => { process.exitCode = 7 })"
    const failures = await failuresOf({ good: '', late })
    expect([...failures.keys()]).toEqual(['late'])
    expect(failures.get('late')).toMatch(/does not let the process end: 7/)
  })
})
