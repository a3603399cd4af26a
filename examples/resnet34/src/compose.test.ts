import { createTensor, sizeOf } from '@he-ml/model'
import { compile, fit } from '@he-ml/pipeline'
import { describe, expect, it } from 'vitest'
import { composeResNet, RESNET34 } from './compose.ts'

const image = (seed: number) =>
  createTensor(
    [3, 32, 32],
    Float64Array.from({ length: 3072 }, (_, i) => Math.sin(seed + i / 7)),
  )

describe('a composed ResNet', () => {
  it('has the layers and weights of a ResNet-34', () => {
    const model = composeResNet(RESNET34)
    const kinds = (kind: string) => model.nodes.filter(({ layer }) => layer.kind === kind).length
    // two in each of sixteen blocks, the stem, three shortcuts
    expect([kinds('conv2d'), kinds('activation'), kinds('add'), kinds('linear')]).toEqual([36, 33, 16, 1])
    expect(model.shapes.get('4.3 out')).toEqual([128, 4, 4])
    expect(sizeOf(model.shapes.get(model.output)!)).toBe(100)
    expect(model.forward(image(1)).data).toEqual(composeResNet(RESNET34).forward(image(1)).data)
  })
  it('is planned like any other network', async () => {
    const model = composeResNet({ name: 'small', blocks: [1, 1], widths: [2, 4], classes: 3 })
    const calibration = await fit(model, [1, 2, 3, 4].map(image))
    const plan = await compile(model, { calibration, batch: 2, activation: { degree: 7, margin: 1.3 } })
    expect(plan.report.securityMarginBits).toBeGreaterThanOrEqual(0)
    expect(plan.batch).toBe(2)
  })
})
