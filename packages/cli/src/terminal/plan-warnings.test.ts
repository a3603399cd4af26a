import { recommendedParameters } from '@he-ml/ckks-core'
import type { Plan } from '@he-ml/pipeline'
import { describe, expect, it } from 'vitest'
import { warningsOf } from './plan-warnings.ts'

const keyless = {
  parameters: recommendedParameters('N14-L6').toJSON(),
  keyRequest: { rotations: [] },
  tasks: [],
}
const plan = (report: object): Plan =>
  ({ model: { output: [10] }, ...keyless, report: { keys: { bytes: 0 }, ...report } }) as unknown as Plan

describe('warnings of a plan', () => {
  it('say when a run needs more memory than the machine has', () => {
    const memory = { peakBytes: 1174e9, leanPeakBytes: 900e9, weightBytes: 0 }
    const [warning, ...more] = warningsOf(plan({ memory }), 24e9)
    expect(warning).toMatch(/needs about 900.0 GB of memory, this machine has 24.0 GB: it must run on a larger one/)
    expect(more).toEqual([])
    expect(warningsOf(plan({ memory }), 1000e9)).toEqual([])
  })
  it('say when the keys alone are too many to be there at once', () => {
    const memory = { peakBytes: 1174e9, leanPeakBytes: 900e9, weightBytes: 0 }
    const [warning] = warningsOf(plan({ memory, keys: { bytes: 890e9 } }), 24e9)
    expect(warning).toMatch(/needs about 900.0 GB .*: keys will be dropped and loaded again/)
    expect(warningsOf(plan({ memory, keys: { bytes: 870e9 } }), 24e9)[0]).toMatch(/must run on a larger one/)
  })
  it('name outputs that say nothing of the input', () => {
    const memory = { peakBytes: 1, weightBytes: 0 }
    expect(warningsOf(plan({ memory, constantOutputs: [3] }), 2)).toEqual([
      'output 3 of 10 does not depend on the input: the weights are zero',
    ])
    expect(warningsOf(plan({ memory, constantOutputs: [3, 4] }), 2)[0]).toMatch(/outputs 3, 4 of 10 do not/)
  })
})
