/** One bootstrap of each set at its full, 128-bit secure parameters. */
import { BOOTSTRAPPING_SETS, bootstrappingSet } from '@he-ml/ckks-core'
import { expect, it } from 'vitest'
import { createBootstrappingStack, discPoints, slotErrors } from './bootstrapping.test-helper.ts'

/** Bits of the mean square and of the worst error that a set promises. */
const PROMISED = { 'N16-B10': { rms: 18, worst: 14 }, 'N15-B4': { rms: 15.5, worst: 13 } } as const

it.each(Object.keys(BOOTSTRAPPING_SETS) as (keyof typeof BOOTSTRAPPING_SETS)[])(
  '%s: a real bootstrap, as precise as planned',
  async (name) => {
    const { parameters, spec } = bootstrappingSet(name)
    const { stack, circuit, prepared, plannedBits } = await createBootstrappingStack(parameters, spec)
    await using _stack = stack
    const values = discPoints(spec.slots, 11)
    const { native } = await stack.encrypt(values.re, { im: values.im, level: circuit.inputLevel })
    using fresh = prepared.bootstrap(stack.server, native)
    expect(fresh.level).toBe(circuit.outputLevel)
    const { worst, rms } = slotErrors(await stack.read(fresh), values)
    console.log(`${name}: ${rms.toFixed(2)} bits (planned ${plannedBits.toFixed(2)}), worst slot ${worst.toFixed(2)}`)
    expect(rms).toBeGreaterThan(PROMISED[name].rms)
    expect(worst).toBeGreaterThan(PROMISED[name].worst)
    expect(Math.abs(rms - plannedBits)).toBeLessThan(1)
  },
  600_000,
)
