/** The demo where there is no native engine: what node-seal holds runs, the rest is named with the reason. */
import { readFile } from 'node:fs/promises'
import { createTensor, Model } from '@he-ml/model'
import { importOnnx } from '@he-ml/model-import'
import { activation, averagePool2d, flatten, linear } from '@he-ml/nn-layers'
import { parseCalibration } from '@he-ml/pipeline'
import { afterEach, expect, it, vi } from 'vitest'
import { chooseEngines } from './engines.ts'
import { loadDigits } from './inputs.ts'
import { agreement } from './outcome.ts'
import { leftOutText, type Part, showParts } from './parts.ts'

const file = (name: string) => readFile(new URL(`../models/${name}`, import.meta.url))

async function relu(): Promise<Part> {
  return {
    model: await importOnnx(await file('lenet5-relu.onnx'), { name: 'lenet5-relu' }),
    calibration: parseCalibration((await file('lenet5-relu.calibration.json')).toString()),
    digits: await loadDigits(1, undefined),
    title: '(a) too large',
    compile: { packing: 'multiplexed', scaleBits: 31, activation: { degree: 15, margin: 1.25 } },
  }
}

/** Means of 4 x 4 pixels, a linear layer and squares. */
async function small(count: number): Promise<Part> {
  const weights = createTensor(
    [10, 49],
    Float64Array.from({ length: 490 }, (_, i) => (1 + Math.sin(i)) / 10),
  )
  const layers = [
    averagePool2d({ name: 'pool', kernel: 4 }),
    flatten({ name: 'flat' }),
    linear({ name: 'one', weights }),
    activation({ name: 'square', function: 'square' }),
  ]
  const nodes = layers.map((layer, i) => ({ layer, inputs: [layers[i - 1]?.name ?? 'image'] }))
  return {
    model: new Model({ name: 'small', input: { name: 'image', shape: [1, 28, 28] }, nodes }),
    digits: await loadDigits(count, undefined),
    title: '(b) small',
    compile: { packing: 'batch', batch: 16, scaleBits: 26 },
  }
}

afterEach(() => vi.restoreAllMocks())

it('runs what node-seal holds, and names what it does not with what to install', async () => {
  const engines = chooseEngines(1, false)
  expect(engines.name).toBe('seal')
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  const { outcomes, leftOut } = await showParts([relu, () => small(12)], engines)
  expect(outcomes.map(({ title }) => title)).toEqual(['(b) small'])
  const [outcome] = outcomes
  expect(outcome!.digits).toHaveLength(12)
  // some 13 are usual
  expect(agreement(outcome!.digits).bits).toBeGreaterThan(8)
  expect(outcome!.peakBytes).toBeGreaterThan(0)
  const reason = expect.stringMatching(/SEAL's heap ends at 4 GB, and one layer needs \d+ keys/)
  expect(leftOut).toEqual([{ title: '(a) too large', reason }])
  expect(leftOutText(leftOut)).toMatch(/\(a\) too large[\s\S]*SEAL's heap[\s\S]*install CMake 3\.20[\s\S]*cmake g\+\+/)
  expect(leftOutText([])).toBe('')
  const said = lines.join('\n')
  expect(said).toMatch(/\(a\) too large\n {2}plan: .*\n {2}left out: SEAL's heap/)
  expect(said).toMatch(/12 digits: 100 %[\s\S]*a \d: encrypted \d, clear \d/)
})
