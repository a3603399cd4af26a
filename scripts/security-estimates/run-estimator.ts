/** Starts Sage on the public estimator, and a second estimator if there is one. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Problem } from './problems.ts'
import { type AttackCost, attacksOn, type CrossCheck } from './results.ts'

const script = join(dirname(fileURLToPath(import.meta.url)), 'estimate.py')

/** The commit that a clone of the estimator stands at. @throws Error when the folder is no clone, or was changed */
export function estimatorCommit(checkout: string): string {
  if (!existsSync(join(checkout, 'estimator/lwe.py')))
    throw new Error(`${checkout} holds no estimator/lwe.py: clone https://github.com/malb/lattice-estimator there`)
  const git = (...args: string[]) => execFileSync('git', ['-C', checkout, ...args], { encoding: 'utf8' }).trim()
  const changes = git('status', '--porcelain', '--untracked-files=no')
  if (changes !== '') throw new Error(`${checkout} differs from its commit, which the results name:\n${changes}`)
  return git('rev-parse', 'HEAD')
}

/**
 * Every attack on every problem, one problem after the other, on one core; hours for all of them.
 * @throws Error when the program fails
 */
export async function* runEstimator(
  problems: readonly Problem[],
  { sage, checkout }: { sage: string; checkout: string },
): AsyncGenerator<{ readonly problem: Problem; readonly attacks: AttackCost[] }> {
  const child = spawn(sage, ['-python', script, checkout], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  child.stdin.end(problems.map((p) => `${JSON.stringify({ ...p, attacks: attacksOn(p) })}\n`).join(''))
  const results = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  for (const problem of problems) {
    const attacks: AttackCost[] = []
    while (attacks.length < attacksOn(problem).length) {
      const line = await results.next()
      if (line.done) throw new Error(`${sage} gave up on ${problem.name}`)
      const { name: _, ...cost } = JSON.parse(line.value) as AttackCost & { readonly name: string }
      attacks.push(cost as AttackCost)
    }
    yield { problem, attacks }
  }
  await ended
}

/**
 * The weakest figure of a Python program that is called as `PROGRAM one LOGN LOG2QP [WEIGHT] --json` and prints one object with
 * `weakest` (bits) and `by` ("attack/model").
 */
export function runCrossCheck({ logN, logQP, secret }: Problem, program: string): CrossCheck {
  const weight = secret.kind === 'sparse' ? [String(secret.weight)] : []
  // its exit status tells whether the figure is below 128, which the check of the results will say
  const result = spawnSync('python3', [program, 'one', String(logN), String(logQP), ...weight, '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const line = result.stdout?.split('\n')[0]
  if (!line) throw new Error(`${program} printed no result for 2^${logN}, ${logQP} bits`)
  const found = JSON.parse(line) as { readonly weakest: number; readonly by: string }
  const [attack, model] = found.by.split('/')
  return { program: basename(program), attack: attack!, model: model!, bits: found.weakest }
}
