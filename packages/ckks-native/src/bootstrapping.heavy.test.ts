/** One bootstrap of each set at its full, 128-bit secure parameters, its errors term by term. */
import {
  BOOTSTRAPPING_SETS,
  bootstrappingSet,
  type Ciphertext,
  createClearEngine,
  createPlanEngine,
  designRefresh,
  type Evaluator,
  type RefreshNeed,
} from '@he-ml/ckks-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBootstrappingStack, discPoints, slotErrors } from './bootstrapping.test-helper.ts'
import { fileDigest } from './native.test-helper.ts'

/** Sets made for a ReLU of degree 59 and a convolution, and for more bits than a sine alone has. */
const DESIGNED: Readonly<Record<string, RefreshNeed>> = {
  'designed for 7 levels and 13 bits': { levels: 7, precisionBits: 13 },
  'designed for 10 levels and 22 bits': { levels: 10, precisionBits: 22, scaleBits: 42 },
}

/** Bits of the root mean square and of the worst error that a set promises. */
const PROMISED: Readonly<Record<string, { readonly rms: number; readonly worst: number }>> = {
  'N16-B10': { rms: 18, worst: 14 },
  'N15-B4': { rms: 15.5, worst: 13 },
  'designed for 7 levels and 13 bits': { rms: 13, worst: 10.5 },
  'designed for 10 levels and 22 bits': { rms: 22, worst: 18 },
}

/** 1/4 and 16.75, the shift and the bound of evalMod's argument (docs/notes/bootstrapping.md). */
const SHIFT = 0.25
const BOUND = 16.75

interface Inside {
  /** What modRaise is given: the slots as coefficients. */
  message?: Ciphertext
  /** evalMod's argument, real half. */
  argument?: Ciphertext
}

/** The engine, keeping copies of what passes at two points of the circuit. */
function watched<E extends Evaluator>(engine: E, inside: Inside): E {
  return new Proxy(engine, {
    get(target, property) {
      const value = Reflect.get(target, property)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        const result = value.apply(target, args)
        if (property === 'modRaise') inside.message = target.dropLevel(args[0] as Ciphertext, 0)
        if (property === 'raiseTransforms') inside.message = target.dropLevel((args[0] as Ciphertext[])[0]!, 0)
        if (property === 'addScalar' && !inside.argument) inside.argument = target.dropLevel(result, result.level)
        return result
      }
    },
  })
}

const bits = (error: number): string => (-Math.log2(error)).toFixed(2)

/** Keys, and what clear and planned runs of the circuit say: made once, for any number of encryptions. */
async function prepareSet(name: string) {
  const { parameters, spec } = name in DESIGNED ? (await designRefresh(DESIGNED[name]!)).set : bootstrappingSet(name)
  const made = await createBootstrappingStack(parameters, spec)
  const values = discPoints(spec.slots, 11)
  const level = made.circuit.inputLevel

  const clear = createClearEngine(parameters)
  const ideal: Inside = {}
  const prepared = await made.circuit.prepare(clear)
  const exact = prepared.bootstrap(watched(clear, ideal), clear.encryptClear(values, { level }))
  const plan = createPlanEngine(parameters)
  const planned: Inside = {}
  const input = { level, slots: spec.slots, magnitude: Math.SQRT1_2, error: 0 }
  ;(await made.circuit.prepare(plan)).bootstrap(watched(plan, planned), plan.input(input))
  // slots of a polynomial are sqrt(slots) times as large as its coefficients, which are the values here
  const toValues = Math.sqrt(spec.slots)
  return {
    ...made,
    spec,
    values,
    level,
    toValues,
    idealMessage: clear.readClear(ideal.message!),
    bend: slotErrors(clear.readClear(exact), values),
    messagePlanned: plan.estimate(planned.message!).error / toValues,
    halfPlanned: plan.estimate(planned.argument!).error * BOUND * 2 ** spec.logMessageRatio,
  }
}

describe.each([...Object.keys(BOOTSTRAPPING_SETS), ...Object.keys(DESIGNED)])('%s', (name) => {
  let made: Awaited<ReturnType<typeof prepareSet>>
  beforeAll(async () => {
    made = await prepareSet(name)
  })
  afterAll(() => made.stack[Symbol.asyncDispose]())

  it('a real bootstrap, as precise as planned, term by term', async () => {
    const { stack, circuit, prepared, plannedBits, spec, values, level, bend } = made
    const { native } = await stack.encrypt(values.re, { im: values.im, level })
    const real: Inside = {}
    using fresh = prepared.bootstrap(watched(stack.server, real), native)
    native.dispose()
    using message = real.message!
    using argument = real.argument!
    expect(fresh.level).toBe(circuit.outputLevel)
    const { worst, rms } = slotErrors(await stack.read(fresh), values)
    const messageError = 2 ** -slotErrors(await stack.read(message), made.idealMessage).rms / made.toValues
    // the integer part of the argument is the multiple of q0, its fraction the message
    const fraction = (await stack.read(argument)).re.map((t) => {
      const x = t * BOUND + SHIFT
      return (x - Math.round(x)) * 2 ** spec.logMessageRatio
    })
    const zeros = new Float64Array(spec.slots)
    const half = 2 ** -slotErrors({ re: fraction, im: zeros }, { re: values.re }).rms
    console.log(
      [
        `${name}, -log2 of the rms error, measured (planned)`,
        `  slotsToCoeffs            ${bits(messageError)} (${bits(made.messagePlanned)})`,
        `  coeffsToSlots, one half  ${bits(half)} (${bits(made.halfPlanned)})`,
        `  sine without noise       ${bend.rms.toFixed(2)}, worst slot ${bend.worst.toFixed(2)}`,
        `  all                      ${rms.toFixed(2)} (${plannedBits.toFixed(2)}), worst slot ${worst.toFixed(2)}`,
      ].join('\n'),
    )
    expect(rms).toBeGreaterThan(PROMISED[name]!.rms)
    expect(worst).toBeGreaterThan(PROMISED[name]!.worst)
    expect(Math.abs(rms - plannedBits)).toBeLessThan(1)
    // the model takes the baby rotations' noise for rounded, and reads all slots: on the safe side by up to four bits
    for (const [measured, expected] of [
      [messageError, made.messagePlanned],
      [half, made.halfPlanned],
    ] as const) {
      expect(measured).toBeLessThan(expected * Math.SQRT2)
      expect(measured).toBeGreaterThan(expected / 16)
    }
  })

  it('two in lock step: the bits of one after the other', async () => {
    const { stack, prepared, spec, level } = made
    const inputs: Ciphertext[] = []
    for (const seed of [1, 2]) {
      const { re, im } = discPoints(spec.slots, seed)
      inputs.push((await stack.encrypt(re, { im, level })).native)
    }
    const [a, b] = inputs as [Ciphertext, Ciphertext]
    const alone: string[] = []
    for (const input of [a, b]) {
      using fresh = prepared.bootstrap(stack.server, input)
      alone.push(await fileDigest(stack.server, fresh))
    }
    const together = prepared.bootstrapTogether(stack.server, [[a], [b]]).flat()
    const digests: string[] = []
    for (const fresh of together) digests.push(await fileDigest(stack.server, fresh))
    expect(digests).toEqual(alone)
    expect(alone[0]).not.toBe(alone[1])
    for (const handle of [...together, ...inputs]) handle.dispose()
  })
})
