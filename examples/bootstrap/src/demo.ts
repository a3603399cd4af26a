/**
 * Computing without end on encrypted numbers: every product uses up a level, and bootstrapping gives the levels back, without
 * decrypting anything. Real keys, 128-bit security.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { BOOTSTRAPPING_SETS, bootstrappingSet, createBootstrapping } from '@he-ml/ckks-core'
import { nativeAvailable } from '@he-ml/ckks-native'
import cliProgress from 'cli-progress'
import { Command, InvalidArgumentError } from 'commander'
import { drawRun } from './plot.ts'
import { runClocks, type Step } from './run.ts'

const positive = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a positive integer.')
  return value
}

const { set, bootstraps, threads, out } = new Command('demo')
  .description('products and bootstraps in turn: level and precision after each step, and a picture')
  .option('--set <name>', `parameters: ${Object.keys(BOOTSTRAPPING_SETS).join(', ')}`, 'N15-B4')
  .option('--bootstraps <n>', 'how many', positive, 12)
  .option('--threads <n>', 'threads', positive, availableParallelism())
  .option('--out <folder>', 'where the picture goes', 'demo-output')
  .parse()
  .opts<{ set: string; bootstraps: number; threads: number; out: string }>()

if (!nativeAvailable()) {
  console.error(
    'bootstrapping needs the native engine: install CMake 3.20 or newer and a C++20 compiler (Debian, Ubuntu: apt-get install cmake g++ make) and start npm run demo:bootstrap again; npm run demo runs without them',
  )
  process.exit(1)
}

// 1. A named set: primes with room for a bootstrapping circuit, and the circuit.
const { parameters, spec } = bootstrappingSet(set)
const circuit = createBootstrapping(parameters, spec)
const { logN, maxLevel } = parameters
const subtitle = [
  `ring 2^${logN}, ${spec.slots} complex slots, 128-bit security`,
  `${maxLevel} levels in all, of which ${circuit.usableLevels} are for use between two bootstraps`,
]
console.log(`${set}: ${subtitle.join('; ')}`)

// 2. Keys, encryption, and then products and bootstraps in turn.
const bar = new cliProgress.SingleBar(
  {
    format: '  keys  [{bar}] {value} of {total}, {duration_formatted}',
    barsize: 28,
    hideCursor: true,
    noTTYOutput: true, // a line every few seconds where there is no terminal
    notTTYSchedule: 5000,
  },
  cliProgress.Presets.legacy,
)
let started = false
const steps = await runClocks(circuit, {
  bootstraps,
  threads,
  onKey(done, total) {
    if (!started) bar.start(total, 0)
    started = true
    bar.update(done)
    if (done === total) bar.stop()
  },
  onStep: say,
})

// 3. What is left of the precision.
await mkdir(out, { recursive: true })
const picture = join(out, 'bootstrap.svg')
await writeFile(picture, await drawRun(`Encrypted clocks through ${bootstraps} bootstraps`, subtitle, steps))
const { ticks, meanBits, worstBits } = steps.at(-1)!
console.log(
  `\n${ticks} products one after another where ${maxLevel} levels were given: ` +
    `${meanBits.toFixed(1)} bits on average, ${worstBits.toFixed(1)} in the worst of ${spec.slots} slots\npicture: ${picture}`,
)

function say({ kind, ticks, bootstraps, level, seconds, meanBits, worstBits }: Step): void {
  const what = kind === 'start' ? 'encrypted' : kind === 'tick' ? `product ${ticks}` : `bootstrap ${bootstraps}`
  console.log(
    `  ${what.padEnd(14)} level ${String(level).padStart(2)}  ${meanBits.toFixed(1)} bits, worst slot ` +
      `${worstBits.toFixed(1)}${kind === 'start' ? '' : `  ${seconds.toFixed(2)} s`}`,
  )
}
