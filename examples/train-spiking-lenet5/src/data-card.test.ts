import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FormatError } from '@he-ml/ckks-core'
import { createNetwork } from '@he-ml/snn-training'
import { saveModel } from '@he-ml/snn-training/node'
import { afterAll, describe, expect, it } from 'vitest'
import { dataCard } from './data-card.ts'
import { NEURONS, spikingLenet5 } from './network/index.ts'
import { MODELS_FOLDER } from './training/start-network.ts'

const folder = mkdtempSync(join(tmpdir(), 'models-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('dataCard', () => {
  it('is what lies beside the shipped models', async () => {
    expect(readFileSync(join(MODELS_FOLDER, 'README.md'), 'utf8')).toBe(await dataCard(MODELS_FOLDER))
  })
  it('refuses a model that does not say how it was made', async () => {
    const network = spikingLenet5({ neuron: NEURONS.qif, timeSteps: 2, inputShape: [1, 28, 28] })
    await saveModel(join(folder, 'mute'), createNetwork(network), { recipe: 'mute' })
    await expect(dataCard(folder)).rejects.toThrow(FormatError)
    await expect(dataCard(folder)).rejects.toThrow(/mute\.json: field "about\.from"/)
  })
})
