// npm run estimates -- --estimator CHECKOUT [--only NAME,...] [--all] [--sage sage] [--cross-check PROGRAM.py]
// Estimates every security problem of the project (docs/notes/security-estimates.md), writes the results beside the note and
// redraws its table. What was already estimated by the same commit is kept unless --all is given; without --estimator nothing
// is computed and only the table redrawn. Needs Sage 9.5 or later, and hours on one core for everything.
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { securityProblems } from './security-estimates/problems.ts'
import {
  type Estimate,
  errorDeviation,
  isAbout,
  NOTE_FILE,
  readResults,
  weakest,
  writeResults,
} from './security-estimates/results.ts'
import { estimatorCommit, runCrossCheck, runEstimator } from './security-estimates/run-estimator.ts'
import { withTable } from './security-estimates/table.ts'

const { values: options } = parseArgs({
  options: {
    estimator: { type: 'string' },
    sage: { type: 'string', default: 'sage' },
    only: { type: 'string' },
    all: { type: 'boolean', default: false },
    'cross-check': { type: 'string' },
  },
})
const checkout = options.estimator === undefined ? undefined : resolve(options.estimator)
const commit = checkout === undefined ? undefined : estimatorCommit(checkout)
const only = options.only?.split(',')

const problems = securityProblems()
const kept = new Map<string, Estimate>()
for (const result of readResults()) {
  const problem = problems.find((p) => isAbout(result, p))
  if (problem) kept.set(problem.name, result)
  else console.log(`${result.name} has changed or is gone: its result is dropped`)
}
const wanted = problems.filter(({ name }) => !only || only.includes(name))
if (checkout !== undefined && commit !== undefined) {
  const stale = wanted.filter(({ name }) => options.all || kept.get(name)?.estimator !== commit)
  for await (const { problem, attacks } of runEstimator(stale, { sage: options.sage, checkout })) {
    const crossCheck = kept.get(problem.name)?.crossCheck
    keep({
      ...problem,
      errorDeviation: errorDeviation(problem),
      ...weakest(attacks),
      estimator: commit,
      attacks,
      ...(crossCheck ? { crossCheck } : {}),
    })
  }
}
const program = options['cross-check']
if (program !== undefined)
  for (const problem of wanted) {
    const result = kept.get(problem.name)
    if (result && (options.all || !result.crossCheck)) keep({ ...result, crossCheck: runCrossCheck(problem, program) })
  }
save()

function keep(result: Estimate): void {
  console.log(`${result.name}: ${result.bits} bits (${result.attack}, ${result.model})`)
  kept.set(result.name, result)
  save()
}

function save(): void {
  const results = problems.flatMap((p) => kept.get(p.name) ?? [])
  writeResults(results)
  writeFileSync(NOTE_FILE, withTable(readFileSync(NOTE_FILE, 'utf8'), results))
}
