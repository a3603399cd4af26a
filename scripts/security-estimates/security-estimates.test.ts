/**
 * No set without its estimate: the committed results must be about exactly the problems that the code poses today, by all attacks,
 * each of at least 128 bits. After a change of sets or limits: npm run estimates -- --estimator CHECKOUT (docs/notes/security-estimates.md).
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { EPHEMERAL_WEIGHT } from '../../packages/ckks-core/src/index.ts'
import { ERROR_BITS, securityProblems } from './problems.ts'
import { attacksOn, errorDeviation, isAbout, NOTE_FILE, readResults, weakest } from './results.ts'
import { withTable } from './table.ts'
import { usvpBits } from './usvp.ts'

const problems = securityProblems()
const results = readResults()
const native = join(dirname(fileURLToPath(import.meta.url)), '../../packages/ckks-native/native')

/** An integer constant of the C++ engine. */
function constant(file: string, name: string): number {
  const found = new RegExp(`constexpr \\w+ ${name} = (\\d+);`).exec(readFileSync(join(native, file), 'utf8'))
  if (!found) throw new Error(`${file} defines no ${name}`)
  return Number(found[1])
}

describe('security estimates', () => {
  it('are of the sets, limits and ephemeral secrets of the code, no more and no fewer', () => {
    expect(results.map((r) => r.name)).toEqual(problems.map((p) => p.name))
  })
  it('are of the distributions that the engine draws from', () => {
    expect(constant('scheme/encapsulation-key.h', 'EPHEMERAL_WEIGHT')).toBe(EPHEMERAL_WEIGHT)
    expect(2 * constant('client/sampler.h', 'ERROR_BOUND')).toBe(ERROR_BITS)
  })
  it('stand in the note as they are in the results', () => {
    const note = readFileSync(NOTE_FILE, 'utf8')
    expect(withTable(note, results)).toBe(note)
  })

  describe.each(problems)('$name', (problem) => {
    const result = results.find((r) => r.name === problem.name)
    it('was estimated as it is now, at 128 bits or more', () => {
      if (!result) throw new Error(`${problem.name} has no estimate: npm run estimates -- --estimator CHECKOUT`)
      expect(isAbout(result, problem), `${problem.name} changed: ${JSON.stringify(problem)}`).toBe(true)
      expect(result.errorDeviation).toBe(errorDeviation(problem))
      expect(result.attacks.map(({ attack, model }) => ({ attack, model }))).toEqual(attacksOn(problem))
      expect(result).toMatchObject(weakest(result.attacks))
      expect(result.bits).toBeGreaterThanOrEqual(128)
      expect(result.estimator).toMatch(/^[0-9a-f]{40}$/)
    })
    it.runIf(problem.secret.kind === 'ternary')('agrees with the plainest attack, worked out here', () => {
      const recorded = result?.attacks.find((a) => a.attack === 'usvp' && a.model === 'gates')
      expect(Math.abs(usvpBits(problem) - recorded!.bits!)).toBeLessThan(0.5)
    })
  })
})

describe('a change of a set', () => {
  const [problem] = problems
  const result = { ...problem!, errorDeviation: errorDeviation(problem!) }
  it.each([
    ['ring', { logN: 13 }],
    ['modulus', { logQP: 100.14 }],
    ['secret', { secret: { kind: 'sparse', weight: 64 } }],
    ['error', { errorBits: 20 }],
  ] as const)('of its %s is seen', (_, change) => {
    expect(isAbout(result, problem!)).toBe(true)
    expect(isAbout(result, { ...problem!, ...change })).toBe(false)
  })
})
