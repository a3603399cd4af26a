// All tests: C++ (release; under AddressSanitizer and UBSan; threads, pool and executor under ThreadSanitizer), then TypeScript.
// The last line counts them.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const NATIVE = ['native-runtime', 'float-kernels', 'ckks-native']
const scratch = mkdtempSync(join(tmpdir(), 'he-ml-test-'))
let passed = 0
let failed = 0

const run = (command, args, options = {}) => spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })

function cpp(label, name, args, directory, environment) {
  const native = join(root, 'packages', name)
  console.log(`\n== ${label}: ${name}`)
  if (run(process.execPath, [join(native, 'scripts/build.mjs'), '--quiet', ...args]).status !== 0) {
    failed++
    return
  }
  const report = join(scratch, `${name}-${directory}.xml`)
  run(
    'ctest',
    ['--test-dir', join(native, 'build', directory), '--output-on-failure', '-j2', '--output-junit', report],
    {
      env: { ...process.env, ...environment },
    },
  )
  const head = existsSync(report) ? /<testsuite[^>]*>/.exec(readFileSync(report, 'utf8'))?.[0] : undefined
  const count = (name) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head ?? '')?.[1] ?? 0)
  if (head === undefined || count('tests') === 0) failed++
  failed += count('failures')
  passed += count('tests') - count('failures') - count('skipped') - count('disabled')
}

for (const name of NATIVE) cpp('C++ tests', name, ['--tests'], 'release', {})
for (const name of NATIVE)
  cpp('C++ tests under AddressSanitizer and UBSan', name, ['--sanitize'], 'sanitize', {
    ASAN_OPTIONS: 'detect_leaks=1:strict_string_checks=1',
    UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  })
cpp('C++ tests under ThreadSanitizer', 'native-runtime', ['--thread'], 'thread', { TSAN_OPTIONS: 'halt_on_error=1' })

console.log('\n== TypeScript tests')
const report = join(scratch, 'vitest.json')
const vitest = run(process.execPath, [
  '--expose-gc',
  join(root, 'node_modules/vitest/vitest.mjs'),
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
])
if (existsSync(report)) {
  const result = JSON.parse(readFileSync(report, 'utf8'))
  passed += result.numPassedTests
  failed += result.numFailedTests
  // a file that fails to load has no failed test of its own
  failed += result.testResults.filter(
    (r) => r.status === 'failed' && r.assertionResults.every((a) => a.status !== 'failed'),
  ).length
  for (const file of result.testResults)
    for (const test of file.assertionResults)
      if (test.status === 'pending' || test.status === 'skipped') console.log(`skipped: ${test.fullName}`)
} else failed++
if (vitest.status !== 0 && failed === 0) failed++

rmSync(scratch, { recursive: true, force: true })
console.log(`tests: ${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
