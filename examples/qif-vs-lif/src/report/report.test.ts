import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FormatError, InvalidArgumentError, ParameterMismatchError } from '@he-ml/ckks-core'
import { afterAll, describe, expect, it } from 'vitest'
import type { Job } from '../cells/grid.ts'
import type { CellRecord } from '../cells/record.ts'
import { jobsOf, recordsOf } from '../records.test-helper.ts'
import { renderReport } from './markdown.ts'
import { summarise } from './summarise.ts'
import { points, tallyOf, verdictOf } from './verdict.ts'
import { writeReport } from './write-report.ts'

const folder = mkdtempSync(join(tmpdir(), 'report-'))
afterAll(() => rmSync(folder, { recursive: true }))

const NOISE = [0, 0.003, -0.002, 0.001, -0.001]
/** The same for both neurons, so that it goes away in pairs. */
const noise = ({ cell }: Job) => NOISE[cell.seed - 1]!
/** Its own for each neuron: mean 0, and different on the two sides. */
const ownNoise = ({ cell }: Job) => NOISE[(cell.seed - 1 + (cell.neuron === 'qif' ? 2 : 0)) % NOISE.length]!

const neurons = (accuracy: (job: Job) => number, seeds = 5) => recordsOf(jobsOf('neurons-mnist', seeds), accuracy)
const summaryOf = (accuracy: (job: Job) => number, seeds = 5) => summarise(neurons(accuracy, seeds))
const verdict = (records: readonly CellRecord[]) => {
  const { comparisons } = summarise(records)
  return comparisons.map((comparison) => verdictOf(comparison, comparisons.length))
}
const isQif = ({ cell }: Job) => cell.neuron === 'qif'

describe('summarise', () => {
  it('pairs by seed: what both sides share goes away', () => {
    const { arms, comparisons, seeds, missing } = summaryOf((job) => 0.9 + noise(job) + (isQif(job) ? 0.005 : 0))
    expect([seeds, missing]).toEqual([[1, 2, 3, 4, 5], 0])
    expect(arms.map(({ label }) => label)).toEqual(['LIF', 'QIF'])
    for (const { accuracy } of arms) expect(accuracy!.deviation).toBeCloseTo(0.0019235, 6)
    const [{ difference }] = comparisons as [(typeof comparisons)[0]]
    expect(difference!.mean).toBeCloseTo(0.005, 12)
    expect(difference!.deviation).toBeLessThan(1e-15)
  })
  it('takes only seeds that both sides have, and counts what is missing', () => {
    const records = neurons(() => 0.9).filter(({ cell }) => cell.neuron === 'lif' || cell.seed > 2)
    const { comparisons, missing } = summarise(records)
    expect(comparisons[0]!.seeds).toEqual([3, 4, 5])
    expect(missing).toBe(2)
  })
  it('compares the analytic window with each other one, neuron by neuron', () => {
    const { comparisons, question, arms } = summarise(recordsOf(jobsOf('windows-mnist', 5), () => 0.9))
    expect(question).toBe('windows')
    expect(arms.slice(0, 2).map(({ label }) => label)).toEqual(['LIF, analytic', 'LIF, rectangle 0.25'])
    expect(comparisons.length).toBe(12)
    for (const { first, second } of comparisons) {
      expect(first.surrogate).toBe('analytic')
      expect(second.neuron).toBe(first.neuron)
    }
  })
  it('widens what holds for all comparisons together', () => {
    const { comparisons } = summarise(recordsOf(jobsOf('windows-mnist', 5), (job) => 0.9 + ownWindowNoise(job)))
    for (const { difference, simultaneous } of comparisons) {
      // t of 4 degrees of freedom: 2.776 for 95 %, 5.882 for 1 - 0.05 / 12
      const ratio = (simultaneous!.high - difference!.mean) / (difference!.high - difference!.mean)
      expect(ratio).toBeCloseTo(5.882 / 2.7764, 2)
    }
  })
})

/** Differs between the analytic window and the others. */
const ownWindowNoise = ({ cell }: Job) => (cell.surrogate === 'analytic' ? NOISE[cell.seed - 1]! : 0)

describe('the verdict', () => {
  it('says that no difference is shown when the interval holds 0', () => {
    const [text] = verdict(neurons((job) => 0.9 + ownNoise(job)))
    expect(text).toMatch(/^QIF against LIF: no difference shown\. 0\.000 points on average, 95 % interval -\d\.\d+ to /)
    expect(text).toContain('(5 pairs of seeds); the interval holds 0.')
    expect(text).not.toContain('better')
  })
  it('names the better one, whichever it is', () => {
    const gain = (by: number) => neurons((job) => 0.9 + ownNoise(job) / 10 + (isQif(job) ? by : 0))
    expect(verdict(gain(0.01))[0]).toMatch(
      /QIF is better than LIF\. \+1\.000 points on average, .* \(5 pairs of seeds\)\.$/,
    )
    expect(verdict(gain(-0.01))[0]).toContain('LIF is better than QIF. -1.000 points')
  })
  it('asks more of one among many comparisons', () => {
    // chosen so that 0 lies outside the interval of one comparison, and inside the one for all 12
    const small = verdict(recordsOf(jobsOf('windows-mnist', 5), (job) => 0.9 + ownWindowNoise(job) + shift(job, 0.003)))
    for (const text of small) {
      expect(text).toContain('no difference shown')
      expect(text).toContain('among 12 comparisons')
    }
    const large = verdict(recordsOf(jobsOf('windows-mnist', 5), (job) => 0.9 + ownWindowNoise(job) + shift(job, 0.03)))
    const tally = (by: number, seeds = 5) =>
      tallyOf(
        summarise(recordsOf(jobsOf('windows-mnist', seeds), (job) => 0.9 + ownWindowNoise(job) + shift(job, by)))
          .comparisons,
      )
    expect(tally(0.003)).toBe(
      'Of 12 comparisons, the first is better in 0 and worse in 0; in 12 no difference is shown.',
    )
    expect(tally(0.03)).toContain('the first is better in 12 and worse in 0')
    expect(tally(-0.03)).toContain('the first is better in 0 and worse in 12')
    expect(tally(0.03, 1)).toContain('12 have too few pairs of seeds')
    expect(large[0]).toMatch(/LIF, analytic is better than LIF, rectangle 0\.25\. .*for all 12 comparisons together \+/)
  })
  it('says nothing from one pair, and tells of runs that diverged', () => {
    expect(verdict(neurons(() => 0.9, 1))[0]).toBe('QIF against LIF: too few pairs of seeds (1) to say anything.')
    const records = neurons((job) => 0.9 + ownNoise(job)).map(
      (record): CellRecord =>
        record.cell.neuron === 'qif' && record.cell.seed === 2
          ? { ...record, result: { kind: 'diverged', message: 'no finite loss' } }
          : record,
    )
    expect(verdict(records)[0]).toContain(
      '(4 pairs of seeds); the interval holds 0. QIF diverged with seed 2: those runs',
    )
    const report = renderReport([{ summary: summarise(records), pictures: [] }], [])
    expect(report).toContain('| QIF | 4, 1 diverged |')
    expect(report).toMatch(/\| QIF \| \d+\.\d+ \| diverged \| \d/)
  })
  it('writes points with their sign', () => {
    expect([0.0123, -0.0004, 0, -1e-9].map(points)).toEqual(['+1.230', '-0.040', '0.000', '0.000'])
  })
})

const shift = ({ cell }: Job, by: number) => (cell.surrogate === 'analytic' ? by : 0)

describe('the report', () => {
  it('is of everything in the folder, with pictures', async () => {
    const out = join(folder, 'whole')
    const files = { 'neurons-mnist': neurons((job) => 0.97 + ownNoise(job)), 'windows-nmnist': windowRecords() }
    write(out, files)
    const { files: written, verdicts } = await writeReport(out)
    expect(verdicts.length).toBe(1 + 12)
    expect(
      readdirSync(out)
        .filter((name) => name.endsWith('.svg'))
        .sort(),
    ).toEqual([
      'gradient-windows-t4.svg',
      'gradient-windows-t5.svg',
      ...['accuracy', 'differences', 'learning'].map((kind) => `neurons-mnist-${kind}.svg`),
      ...['accuracy', 'differences', 'learning'].map((kind) => `windows-nmnist-${kind}.svg`),
    ])
    expect(written.length).toBe(8 + 1)
    for (const name of readdirSync(out).filter((name) => name.endsWith('.svg')))
      expect(readFileSync(join(out, name), 'utf8'), name).not.toMatch(/NaN|undefined|Infinity/)
    const text = readFileSync(join(out, 'report.md'), 'utf8')
    expect(text).not.toMatch(/NaN|undefined|Infinity/)
    expect(text).toContain('In these experiments nothing is tuned on the test digits')
    expect(text).toContain('no difference shown')
    expect(text).toContain('| LIF | 5 | 97.02 | 0.19 | 96.78 to 97.26 |')
    expect(text).toContain('1,000 simulated recordings of MNIST digits to train on, 5,000 to test; 2 epochs')
    expect(text).toContain('leave a standard error of 0.24 points')
    expect(text).not.toContain('Not complete')
    // the picture holds every seed and the text of the means
    expect(readFileSync(join(out, 'neurons-mnist-accuracy.svg'), 'utf8')).toContain('97.02 %')
  })
  it('says what is missing', async () => {
    const out = join(folder, 'part')
    write(out, { 'neurons-mnist': neurons(() => 0.9, 2).slice(0, 3) })
    await writeReport(out)
    const text = readFileSync(join(out, 'report.md'), 'utf8')
    expect(text).toContain('**Not complete: runs missing: 1.**')
    expect(text).toContain('**Only 2 seeds:**')
    expect(text).toContain('too few pairs of seeds (1)')
    write(out, { 'neurons-mnist': neurons(() => 0.9, 1).slice(0, 1) })
    await writeReport(out)
    expect(readFileSync(join(out, 'report.md'), 'utf8')).toContain('No comparison yet')
  })
  it('refuses folders that cannot be reported', async () => {
    const empty = join(folder, 'empty')
    write(empty, { 'neurons-mnist': [] })
    await expect(writeReport(empty)).rejects.toThrow(InvalidArgumentError)
    await expect(writeReport(join(folder, 'none'))).rejects.toThrow(/ENOENT/)
    const mixed = join(folder, 'mixed')
    const [other] = recordsOf(jobsOf('neurons-mnist', 1, 3), () => 0.9)
    write(mixed, { 'neurons-mnist': [...neurons(() => 0.9), other!] })
    await expect(writeReport(mixed)).rejects.toThrow(ParameterMismatchError)
    const strange = join(folder, 'strange')
    write(strange, { 'windows-mnist': neurons(() => 0.9) })
    await expect(writeReport(strange)).rejects.toThrow(FormatError)
  })
})

function windowRecords(): CellRecord[] {
  return recordsOf(jobsOf('windows-nmnist', 5), (job) => 0.8 + ownWindowNoise(job) + shift(job, 0.01))
}

function write(out: string, files: Readonly<Record<string, readonly CellRecord[]>>): void {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out)
  for (const [name, records] of Object.entries(files))
    writeFileSync(join(out, `${name}.jsonl`), records.map((record) => `${JSON.stringify(record)}\n`).join(''))
}
