/** `report`: reads every file of results in a folder, writes report.md and its pictures beside them. */
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FormatError, InvalidArgumentError } from '@he-ml/ckks-core'
import { readRecords, requireBudget } from '../cells/results-file.ts'
import { budgetOf, cellName } from '../cells/settings.ts'
import { EXPERIMENTS } from '../experiments.ts'
import { type PictureLink, renderReport, type Section } from './markdown.ts'
import { drawAccuracies, drawDifferences, drawLearning, drawWindows } from './pictures.ts'
import { type Summary, summarise } from './summarise.ts'
import { verdictOf } from './verdict.ts'

export interface WrittenReport {
  /** Paths of what was written. */
  readonly files: readonly string[]
  /** For a terminal. */
  readonly verdicts: readonly string[]
}

/**
 * @throws InvalidArgumentError for a folder without results
 * @throws FormatError for a file that holds something else
 * @throws ParameterMismatchError for a file that mixes budgets
 */
export async function writeReport(out: string): Promise<WrittenReport> {
  const summaries = await readSummaries(out)
  const files: string[] = []
  const write = async (name: string, text: string) => {
    await writeFile(join(out, name), text)
    files.push(join(out, name))
  }
  const sections: Section[] = []
  for (const summary of summaries) {
    const pictures: PictureLink[] = []
    for (const [kind, title, svg] of await picturesOf(summary)) {
      const file = `${summary.experiment}-${kind}.svg`
      await write(file, svg)
      pictures.push({ title, file })
    }
    sections.push({ summary, pictures })
  }
  const windows: PictureLink[] = []
  for (const timeSteps of new Set(summaries.map(({ budget }) => budget.timeSteps))) {
    const arms = summaries.filter(({ budget }) => budget.timeSteps === timeSteps).flatMap((summary) => summary.arms)
    const file = `gradient-windows-t${timeSteps}.svg`
    await write(file, await drawWindows(arms, timeSteps))
    windows.push({ title: `Membrane densities and gradient windows, T = ${timeSteps}`, file })
  }
  await write('report.md', renderReport(sections, windows))
  const verdicts = summaries.flatMap(({ experiment, comparisons }) =>
    comparisons.map((comparison) => `${experiment}: ${verdictOf(comparison, comparisons.length)}`),
  )
  return { files, verdicts }
}

async function picturesOf(summary: Summary): Promise<[kind: string, title: string, svg: string][]> {
  const pictures: [string, string, string][] = [
    ['accuracy', 'Accuracy by arm: single seeds, means, 95 % intervals', await drawAccuracies(summary)],
  ]
  if (summary.comparisons.some(({ seeds }) => seeds.length > 1))
    pictures.push(['differences', 'Paired differences with their intervals', await drawDifferences(summary)])
  pictures.push(['learning', 'Test accuracy and training loss by epoch', await drawLearning(summary)])
  return pictures
}

async function readSummaries(out: string): Promise<Summary[]> {
  const names = (await readdir(out)).filter((name) => name.endsWith('.jsonl'))
  const order = EXPERIMENTS.map(({ name }) => `${name}.jsonl`)
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length)
  names.sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1))
  const summaries: Summary[] = []
  for (const name of names) {
    const path = join(out, name)
    const records = await readRecords(path)
    if (records.length === 0) continue
    const stranger = records.find(({ cell }) => `${cell.experiment}.jsonl` !== name)
    if (stranger)
      throw new FormatError(`${path}: expected runs of that experiment only, got "${cellName(stranger.cell)}"`)
    requireBudget(path, records, budgetOf(records[0]!.settings))
    summaries.push(summarise(records))
  }
  if (summaries.length === 0)
    throw new InvalidArgumentError(`report: expected results in ${out}, got none: "run" makes them`)
  return summaries
}
