import { expect, it } from 'vitest'
import { heMl, mustRun, temporaryFolder, writeInputs } from './cli.test-helper.ts'

interface PlanOutput {
  readonly report: {
    readonly logN: number
    readonly layers: readonly { readonly kind: string; readonly refresh?: { readonly bootstraps: number } }[]
  }
}

it('plans a network deeper than its parameters: bootstraps where they are cheapest, or a refusal', async () => {
  await using here = await temporaryFolder()
  await writeInputs(here, { size: 46, channels: 1, blocks: 4 })
  const plan = ['plan', '-m', 'net.onnx', '-d', 'images.json', '-o', 'plan.json', '--degree', '15', '--quiet']
  const made = await mustRun(here.path, ...plan, '--bootstrapping', 'N15-B4', '--json')
  const { report } = made.json<PlanOutput>()
  expect(report.logN).toBe(15)
  expect(report.layers.filter((l) => l.kind === 'refresh').length).toBeGreaterThan(0)
  const text = await mustRun(here.path, 'inspect', 'plan.json')
  expect(text.stdout).toMatch(/refresh/)
  const refused = await heMl(here.path, ...plan, '--bootstrapping', 'never', '--log-n', '13')
  expect(refused.code).not.toBe(0)
  const unknown = await heMl(here.path, ...plan, '--bootstrapping', 'N14-B9')
  expect(unknown.stderr).toMatch(/Allowed choices are auto, always, never, N16-B10, N15-B4/)
})
