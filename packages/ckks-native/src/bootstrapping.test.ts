/** Real bootstraps in a ring too small to be secure: the circuit is the one of the full sets. */
import {
  BOOTSTRAPPING_SETS,
  type BootstrappingSpec,
  bootstrapIterated,
  bootstrappingLiteral,
  type Ciphertext,
  highRmsFactor,
  insecureParametersWithFiles,
  lowRmsFactor,
  MissingKeyError,
} from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { createBootstrappingStack, discPoints, slotErrors, type Use } from './bootstrapping.test-helper.ts'
import { fileDigest } from './native.test-helper.ts'

const base = BOOTSTRAPPING_SETS['N16-B10']

function small(change: Partial<BootstrappingSpec> = {}, levels = 2) {
  const spec = { ...base.spec, slots: 2 ** 9, ...change }
  const specialBits = new Array(8).fill(47.9)
  return {
    spec,
    parameters: insecureParametersWithFiles(bootstrappingLiteral({ ...base, logN: 10, levels, specialBits, spec })),
  }
}

describe('bootstrapping under encryption', () => {
  it.each([
    ['all slots', {}],
    ['few slots', { slots: 32 }],
    ['other factors', { slotsToCoeffs: 2, coeffsToSlots: 4 }],
    ['arcsine', { arcsine: 3, logMessageRatio: 8 }],
  ] as const)('%s: as precise as planned', async (_, change) => {
    const { spec, parameters } = small(change)
    const { stack, circuit, prepared, plannedBits } = await createBootstrappingStack(parameters, spec)
    await using _stack = stack
    const values = discPoints(spec.slots, 7)
    const { native } = await stack.encrypt(values.re, { im: values.im, level: circuit.inputLevel })
    using fresh = prepared.bootstrap(stack.server, native)
    expect(fresh.level).toBe(circuit.outputLevel)
    const { worst, rms } = slotErrors(await stack.read(fresh), values)
    expect(worst).toBeGreaterThan(16)
    expect(Math.abs(rms - plannedBits)).toBeLessThan(1.5)
  })

  it('two real ciphertexts as one, real content alone, a range of 8', async () => {
    const pair: Use = (engine, prepared, input) => prepared.bootstrapPair(engine, input, input)[0]
    const { spec, parameters } = small()
    const { stack, circuit, prepared } = await createBootstrappingStack(parameters, spec, { use: pair })
    await using _stack = stack
    const [a, b] = [discPoints(spec.slots, 1).re, discPoints(spec.slots, 2).re]
    const [x, y] = [
      await stack.encrypt(a, { level: circuit.inputLevel }),
      await stack.encrypt(b, { level: circuit.inputLevel }),
    ]
    const [fresh, other] = prepared.bootstrapPair(stack.server, x.native, y.native)
    expect(slotErrors(await stack.read(fresh), { re: a }).worst).toBeGreaterThan(17)
    expect(slotErrors(await stack.read(other), { re: b }).worst).toBeGreaterThan(17)

    const half = await circuit.prepare(stack.server, { ranges: [8] })
    const large = await stack.encrypt(
      a.map((v) => 8 * v),
      { level: circuit.inputLevel },
    )
    const out = half.bootstrap(stack.server, large.native, { range: 8 })
    expect(slotErrors(await stack.read(out), { re: a.map((v) => 8 * v) }).worst).toBeGreaterThan(14)

    const real = small({ content: 'real' })
    const single = await createBootstrappingStack(real.parameters, real.spec)
    await using _single = single.stack
    const input = await single.stack.encrypt(a, { level: single.circuit.inputLevel })
    const result = single.prepared.bootstrap(single.stack.server, input.native)
    expect(slotErrors(await single.stack.read(result), { re: a }).worst).toBeGreaterThan(17)
  })

  it('in lock step: the bits of one after the other, singles and pairs', async () => {
    const { spec, parameters } = small()
    const { stack, circuit, prepared } = await createBootstrappingStack(parameters, spec)
    await using _stack = stack
    const { server } = stack
    const inputs: Ciphertext[] = []
    for (let i = 0; i < 5; i++) {
      const { re, im } = discPoints(spec.slots, i)
      inputs.push((await stack.encrypt(re, { ...(i < 2 ? { im } : {}), level: circuit.inputLevel + (i % 2) })).native)
    }
    const [a, b, c, d, e] = inputs as [Ciphertext, Ciphertext, Ciphertext, Ciphertext, Ciphertext]
    const alone = [
      prepared.bootstrap(server, a),
      prepared.bootstrap(server, b),
      ...prepared.bootstrapPair(server, c, d),
      prepared.bootstrap(server, e),
    ]
    const wanted = await Promise.all(alone.map((x) => fileDigest(server, x)))
    expect(new Set(wanted).size).toBe(5)
    const together = prepared.bootstrapTogether(server, [[a], [b], [c, d], [e]])
    expect(together.map(({ length }) => length)).toEqual([1, 1, 2, 1])
    expect(await Promise.all(together.flat().map((x) => fileDigest(server, x)))).toEqual(wanted)
    const two = prepared.bootstrapTogether(server, [[e], [c, d]]).flat()
    expect(await Promise.all(two.map((x) => fileDigest(server, x)))).toEqual([wanted[4], wanted[2], wanted[3]])
  })

  it('iterated', async () => {
    const use: Use = (engine, prepared, input) => bootstrapIterated(engine, prepared, input, { gainBits: 14 })
    const { spec, parameters } = small()
    const level = base.spec.slotsToCoeffs + 1
    const { stack, prepared, plannedBits } = await createBootstrappingStack(parameters, spec, { use, level })
    await using _stack = stack
    const values = discPoints(spec.slots, 3)
    const { native } = await stack.encrypt(values.re, { im: values.im, level })
    using fresh = use(stack.server, prepared, native)
    const { worst, rms } = slotErrors(await stack.read(fresh), values)
    expect(worst).toBeGreaterThan(29)
    expect(Math.abs(rms - plannedBits)).toBeLessThan(2)
  })

  it('again and again: levels used up by products, errors no larger than their sum', async () => {
    const { spec, parameters } = small()
    const { stack, circuit, prepared } = await createBootstrappingStack(parameters, spec)
    await using _stack = stack
    const { server } = stack
    const values = discPoints(spec.slots, 5)
    let { native: current } = await stack.encrypt(values.re, { im: values.im, level: circuit.inputLevel })
    const rounds = 12
    const single: number[] = []
    for (let round = 0; round < rounds; round++) {
      const fresh = prepared.bootstrap(server, current)
      current.dispose()
      current = fresh
      while (current.level > circuit.inputLevel) {
        using product = server.mulScalar(current, 1)
        const next = server.rescale(product)
        current.dispose()
        current = next
      }
      single.push(2 ** -slotErrors(await stack.read(current), values).rms)
    }
    // the bend of the sine is the same in each round and adds up in full, so the sum comes close to its bound; both are measured,
    // and each is off by its own tail: a failure by chance has a probability below 2^-40
    const tail = { values: 2 * spec.slots, failure: 2 ** -41 }
    expect(single.at(-1)).toBeLessThan((rounds * single[0]! * highRmsFactor(tail)) / lowRmsFactor(tail))
  })

  it('without its keys it says which one is missing', async () => {
    const { spec, parameters } = small()
    const { stack, circuit, prepared } = await createBootstrappingStack(parameters, spec)
    await using _stack = stack
    const { native } = await stack.encrypt(discPoints(spec.slots, 1).re, { level: circuit.inputLevel })
    stack.server.unloadKeys()
    expect(() => prepared.bootstrap(stack.server, native)).toThrow(MissingKeyError)
    const level0 = stack.server.dropLevel(native, 0)
    expect(() => stack.server.modRaise(level0)).toThrow(/no encapsulation key at level >= \d+ is loaded/)
  })
})
