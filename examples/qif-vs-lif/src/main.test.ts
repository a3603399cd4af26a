/** The whole program in processes of its own, on a few hundred generated digits. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CellRecord } from './cells/record.ts'
import { readRecords } from './cells/results-file.ts'
import { exitCodeOf } from './exit-codes.ts'
import { writeDigits } from './idx-files.test-helper.ts'
import { createProgram } from './program.ts'
import { experimentNamed } from './records.test-helper.ts'

const program = fileURLToPath(new URL('./main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qif-vs-lif-'))
const data = join(folder, 'digits')
const cache = join(folder, 'cache')
beforeAll(() => writeDigits(data, 300, 60))
afterAll(() => rmSync(folder, { recursive: true }))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program; once `until` is on stderr, it gets the signal. */
function qifVsLif(args: readonly string[], kill?: { readonly signal: NodeJS.Signals; until: RegExp }): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=@he-ml/source', '--import', 'tsx', program, ...args])
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk) => {
      stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      stderr += chunk
      if (kill?.until.test(stderr)) child.kill(kill.signal)
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

const neurons = Object.keys(experimentNamed('neurons-mnist').neurons)
/** With two seeds and one surrogate. */
const cells = 2 * neurons.length

const small = ['--data', data, '--cache', cache, '--seeds', '2', '--epochs', '1', '--train-samples', '300']
const running = (out: string, ...more: string[]) => [
  ...['run', '--experiment', 'neurons-mnist', '--out', out, ...small, ...more],
]
/** What is the same however often a run was stopped, and on however many processes and threads. */
const lasting = async (out: string, name = 'neurons-mnist') =>
  (await readRecords(join(out, `${name}.jsonl`)))
    .map(({ execution: _, ...rest }: CellRecord) => JSON.stringify(rest))
    .sort((a, b) => (a < b ? -1 : 1))

describe('qif-vs-lif', () => {
  const whole = join(folder, 'whole')

  it('trains every cell, records it, and has then nothing left to do', async () => {
    const first = await qifVsLif(running(whole, '--parallel', '2'))
    expect(first, first.stderr).toMatchObject({ code: 0, stdout: `${cells} runs done\n` })
    expect(first.stderr).toContain(`${cells} of ${cells}, 0 s left`)
    expect(first.stderr).toMatch(/0 s left; neurons-mnist: (lif|qif)[a-z ]*, analytic, seed 2: \d+\.\d\d %/)
    const records = await readRecords(join(whole, 'neurons-mnist.jsonl'))
    expect(new Set(records.map(({ cell: { neuron, seed } }) => `${neuron} ${seed}`))).toEqual(
      new Set(neurons.flatMap((neuron) => [`${neuron} 1`, `${neuron} 2`])),
    )
    for (const { result } of records) {
      if (result.kind !== 'trained') throw new Error('expected a result')
      expect(result).toMatchObject({ count: 60, history: [{ epoch: 0 }] })
      expect(Object.keys(result.firingRates)).toEqual(['neurons1', 'neurons2', 'neurons3', 'neurons4'])
      expect(result.firingRates.neurons1).toBeGreaterThan(0)
    }
    const again = await qifVsLif(running(whole))
    expect(again).toMatchObject({ code: 0, stdout: 'nothing left to do\n' })
  })

  it('goes on after kills and cancellations, and ends with the same records on one process as on two', async () => {
    const broken = join(folder, 'broken')
    const killed = await qifVsLif(running(broken, '--parallel', '2', '--threads', '1'), {
      signal: 'SIGKILL',
      until: /1 of \d/,
    })
    expect(killed.code).toBe(null)
    const cancelled = await qifVsLif(running(broken, '--parallel', '1', '--threads', '2'), {
      signal: 'SIGINT',
      until: /[23] of \d/,
    })
    expect(cancelled.code, cancelled.stderr).toBe(130)
    expect(cancelled.stderr).toContain('finished runs are recorded')
    expect(cancelled.stderr).not.toMatch(/^\s+at /m)
    const rest = await qifVsLif(running(broken, '--parallel', '1', '--threads', '2'))
    expect(rest.code, rest.stderr).toBe(0)
    expect(await lasting(broken)).toEqual(await lasting(whole))
  })

  it('reports', async () => {
    const { code, stdout } = await qifVsLif(['report', '--out', whole])
    expect(code).toBe(0)
    expect(stdout).toContain('neurons-mnist: QIF against LIF: ')
    expect(readdirSync(whole)).toEqual(
      expect.arrayContaining(['report.md', 'neurons-mnist-accuracy.svg', 'neurons-mnist-learning.svg']),
    )
    expect(readFileSync(join(whole, 'report.md'), 'utf8')).toContain(
      '300 MNIST digits to train on, 60 to test; 1 epochs',
    )
  })

  it('trains on simulated recordings', async () => {
    const out = join(folder, 'events')
    const args = ['--experiment', 'neurons-nmnist', '--out', out, '--data', data, '--cache', cache, '--seeds', '1']
    const { code, stderr } = await qifVsLif(['run', ...args, '--epochs', '1', '--train-samples', '40'])
    expect(code, stderr).toBe(0)
    const [record] = await readRecords(join(out, 'neurons-nmnist.jsonl'))
    expect(record!.settings).toMatchObject({ timeSteps: 5, inputShape: [2, 34, 34], data: { training: 40, test: 60 } })
    expect(readdirSync(cache).length).toBe(2)
  })

  it('refuses what it cannot do, in words, with a code', async () => {
    const damaged = join(folder, 'damaged')
    mkdirSync(damaged)
    const line = readFileSync(join(whole, 'neurons-mnist.jsonl'), 'utf8').split('\n')[0]!
    writeFileSync(join(damaged, 'neurons-mnist.jsonl'), `${line.replace('"epochs":1', '"epochs":2')}\n`)
    const bad: readonly [args: readonly string[], code: number, says: RegExp][] = [
      [running(whole, '--epochs', '3'), 4, /another budget \(recipe\.epochs: 1 there, 3 asked for.*take another --out/],
      [running(whole, '--train-samples', '301'), 2, /at most the 300 training digits there are, got 301/],
      [running(whole, '--seeds', '0'), 2, /expected an integer from 1 to 1000/],
      [running(damaged), 3, /line 1: expected the hash of its settings/],
      [['run', '--experiment', 'none'], 2, /Allowed choices are neurons-mnist/],
      [['run', '--data', join(folder, 'nowhere')], 3, /cannot read the folder/],
      [['walk'], 2, /unknown command/],
      [['report', '--out', join(folder, 'nowhere')], 9, /ENOENT/],
      [['report', '--out', data], 2, /expected results in .*: "run" makes them/],
    ]
    for (const [args, code, says] of bad) {
      const program = createProgram()
      for (const command of [program, ...program.commands]) command.configureOutput({ writeErr: () => undefined })
      const error = await program.parseAsync(args, { from: 'user' }).then(
        () => undefined,
        (reason: unknown) => reason as Error,
      )
      expect(error?.message, args.join(' ')).toMatch(says)
      expect(exitCodeOf(error), args.join(' ')).toBe(code)
    }
    const { code, stdout, stderr } = await qifVsLif(bad[0]![0])
    expect([code, stdout]).toEqual([4, ''])
    expect(stderr).toMatch(/^ParameterMismatchError: /)
    expect(stderr).not.toMatch(/^\s+at /m)
  })
})
