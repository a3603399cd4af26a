import { readFile } from 'node:fs/promises'
import type { Model } from '@he-ml/model'
import { importOnnx } from '@he-ml/model-import'
import { compile, fit, type Plan } from '@he-ml/pipeline'
import { beforeAll, describe, expect, it } from 'vitest'
import { cifarFolder } from './cifar-folder.test-helper.ts'
import { isStray } from './compare.ts'
import { compileOptionsFor } from './make-plan.ts'
import { SHIPPED_MODEL } from './options.ts'
import { loadPhotographs, type Photograph } from './photographs.ts'

describe('the shipped network', () => {
  let model: Model
  let pictures: Photograph[]
  beforeAll(async () => {
    await using folder = await cifarFolder(4)
    pictures = await loadPhotographs(folder.path, 'train', 4)
    model = await importOnnx(await readFile(SHIPPED_MODEL), { name: 'resnet20-quadratic' })
  })

  it('has 19 quadratic activations, and no others', () => {
    expect(model.inputShape).toEqual([3, 32, 32])
    const kinds = model.nodes.map(({ layer }) => layer.kind)
    expect(kinds.filter((kind) => kind === 'quadratic')).toHaveLength(19)
    expect(kinds.filter((kind) => kind === 'conv2d')).toHaveLength(21)
    expect(kinds.filter((kind) => kind === 'activation')).toEqual([])
  })

  it('stays in its range on smooth pictures', () => {
    for (const { tensor } of pictures) expect(isStray(model.forward(tensor).data)).toBe(false)
  })

  describe('in batches of 512', () => {
    let plan: Plan
    beforeAll(async () => {
      const calibration = await fit(
        model,
        pictures.map(({ tensor }) => tensor),
        { equalize: true },
      )
      // without bootstraps every level is seen
      const options = { ...compileOptionsFor({ batch: 512, degree: 59 }), bootstrapping: 'never' } as const
      plan = await compile(model, { ...options, calibration })
    })

    it('is at most 45 levels deep', () => {
      expect(plan).toMatchObject({ packing: 'channel', batch: 512 })
      expect(plan.report.depth).toBeLessThanOrEqual(45)
      expect(plan.report.securityMarginBits).toBeGreaterThanOrEqual(0)
    })
    it('takes one level for each quadratic', () => {
      const rows = plan.report.layers.filter(({ kind }) => kind === 'quadratic')
      expect(new Set(rows.map(({ name, of }) => of ?? name)).size).toBe(19)
      for (const { level, outputLevel } of rows) expect(level - outputLevel).toBe(1)
    })
  })
})
