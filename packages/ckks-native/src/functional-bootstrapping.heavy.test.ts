/** Functional bootstraps of each set at its full, 128-bit secure parameters. */
import { FUNCTIONAL_SETS, functionalSet } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { slotErrors } from './bootstrapping.test-helper.ts'
import {
  ANGLE,
  angleDeviation,
  createFunctionalStack,
  gridStep,
  gridValues,
} from './functional-bootstrapping.test-helper.ts'
import type { Slots } from './native.test-helper.ts'

describe.each(Object.keys(FUNCTIONAL_SETS))('%s', (name) => {
  it('a step of its points: no wrong decision, as sure and as precise as planned', async () => {
    const points = Number(name.split('-P')[1])
    const { parameters, spec } = functionalSet(name)
    const functions = [gridStep(points), gridStep(points, false), ...ANGLE]
    const made = await createFunctionalStack(parameters, spec, points, functions)
    const { stack, circuit, prepared, plannedBits, estimate } = made
    await using _stack = stack
    const { re, im } = gridValues(points, spec.slots, 11)
    const { native } = await stack.encrypt(re, { im, level: circuit.inputLevel })
    const outputs = prepared.evaluate(stack.server, native, functions, { period: points })
    const read: Slots[] = []
    for (const output of outputs) {
      read.push(await stack.read(output))
      output.dispose()
    }
    const fired = (k: number) => (k >= 2 ? 1 : 0)
    const errors = [0, 1].map((i) => slotErrors(read[i]!, { re: re.map(fired), im: im.map(fired) }))
    const deviation = angleDeviation(points, re, read[2]!.re, read[3]!.re)
    console.log(
      [
        `${name}, measured (planned)`,
        `  margin                   ${(0.5 / deviation).toFixed(1)} (${estimate.margin!.toFixed(1)}) standard deviations`,
        ...errors.map(
          ({ rms, worst }, i) =>
            `  step, ${['cleaned  ', 'uncleaned'][i]}          ${rms.toFixed(2)} (${plannedBits[i]!.toFixed(2)}) bits, worst slot ${worst.toFixed(2)}`,
        ),
      ].join('\n'),
    )
    expect(errors[0]!.worst).toBeGreaterThan(4)
    expect(0.5 / deviation).toBeGreaterThan(16)
    // what is planned may be on the safe side
    expect(Math.log2(0.5 / deviation / estimate.margin!)).toBeGreaterThan(-0.5)
    expect(Math.log2(0.5 / deviation / estimate.margin!)).toBeLessThan(2)
    for (const [i, { rms }] of errors.entries()) expect(Math.abs(rms - plannedBits[i]!)).toBeLessThan(2)
  })
})
