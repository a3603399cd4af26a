import { describe, expect, it } from 'vitest'
import { createClearEngine } from '../engines/clear/clear-engine.ts'
import { createPlanEngine } from '../engines/plan/plan-engine.ts'
import { CancelledError, DisposedError, InvalidArgumentError, ParameterMismatchError } from '../errors/errors.ts'
import { insecureParametersWithFiles } from '../parameters/create-parameters.ts'
import type { Encoder, Evaluator } from './engine.ts'
import type { Ciphertext } from './handles.ts'

const parameters = insecureParametersWithFiles({ logN: 10, levels: 3, scaleBits: 30 })
const values = Float64Array.of(1, 2, 3, 4)

/** Every call of the port, on any engine. */
function everything(lane: Encoder & Evaluator, x: Ciphertext): Ciphertext[] {
  const plain = lane.encode(values, { level: x.level, scale: x.scale })
  const square = lane.relinearize(lane.square(x))
  const transform = {
    level: x.level,
    slots: 4,
    scale: plain.scale,
    giants: [{ step: 0, terms: [{ step: 1, plaintext: plain }] }],
  }
  return [
    lane.add(x, x),
    lane.sub(x, x),
    lane.sum([x, x, x]),
    lane.negate(x),
    lane.addPlain(x, plain),
    lane.subPlain(x, plain),
    lane.mulPlain(x, plain),
    lane.addScalar(x, 2),
    lane.mulScalar(x, 0.5),
    lane.mulScalar(x, 0.5, 2 ** 20),
    lane.mulInteger(x, 3),
    lane.mulByI(x),
    lane.mul(x, x),
    lane.mulAccumulate([[x, x]]),
    lane.rescale(square),
    lane.dropLevel(x, 1),
    lane.trace(x, 1),
    lane.rotate(x, 1),
    ...lane.rotateHoisted(x, [1, 2]),
    lane.conjugate(x),
    lane.linearTransform(x, transform as never),
    ...lane.linearTransforms([x, x], transform as never),
    lane.linearTransformRescale(x, transform as never),
    ...lane.linearTransforms([x, x], transform as never, { rescale: true }),
    lane.productCombination([[x, x]], [{ ciphertext: x, by: 2 }], x.scale ** 2, { constant: 1 }),
    ...lane.matrixProduct([x, x], { rows: 1, columns: 2, data: Float64Array.of(1, 2) }),
  ]
}

describe('a lane of the clear engine', () => {
  it('computes what the engine computes, on handles that belong to the engine', async () => {
    const engine = createClearEngine(parameters)
    await using lane = engine.openLane()
    const x = engine.encryptClear(values)
    const direct = everything(engine, x).map((y) => engine.readClear(y))
    const onLane = everything(lane, x).map((y) => engine.readClear(y))
    expect(onLane).toEqual(direct)
    expect(lane.add(x, x).owner).toBe(engine)
    expect(lane.engine).toBe(engine)
    expect(lane.openLane().engine).toBe(engine)
    expect(lane.parameters).toBe(parameters)
    expect(lane.hasKey({ kind: 'rotation', steps: 3, level: 3 })).toBe(true)
    expect(lane.loadedKeys).toEqual(engine.loadedKeys)
    const other = createClearEngine(parameters)
    expect(() => lane.add(x, other.encryptClear(values))).toThrow(ParameterMismatchError)
  })

  it('counts its own operations and bytes', async () => {
    const engine = createClearEngine(parameters)
    const [one, two] = [engine.openLane(), engine.openLane()]
    const x = engine.encryptClear(values)
    const made = Array.from({ length: 200 }, () => one.add(x, x))
    expect(one.progress()).toEqual({ queued: 0, done: 200 })
    expect(two.progress()).toEqual({ queued: 0, done: 0 })
    const bytes = 2 * parameters.limbsAt(3) * parameters.ringDegree * 8
    expect(one.memory()).toMatchObject({ ciphertexts: 200 * bytes, total: 200 * bytes, keys: 0 })
    for (const y of made.slice(1)) y.dispose()
    two.encode(values, { level: 1, scale: 2 ** 30 })
    expect(one.memory()).toMatchObject({ ciphertexts: bytes, peak: 200 * bytes })
    expect(two.memory()).toMatchObject({
      ciphertexts: 0,
      plaintexts: parameters.limbsAt(1) * parameters.ringDegree * 8,
    })
  })

  it('ends with its signal, or when disposed of, while the engine and other lanes go on', async () => {
    const engine = createClearEngine(parameters)
    const controller = new AbortController()
    const [one, two] = [engine.openLane({ signal: controller.signal }), engine.openLane({ memory: 1e6 })]
    const x = engine.encryptClear(values)
    const y = one.add(x, x)
    controller.abort()
    expect(() => one.add(x, x)).toThrow(CancelledError)
    await expect(one.exportCiphertext(x)).rejects.toThrow(CancelledError)
    expect(engine.readClear(two.add(x, y)).re).toEqual(Float64Array.of(3, 6, 9, 12))
    await two.dispose()
    expect(() => two.add(x, y)).toThrow(DisposedError)
    engine.add(x, y)
    expect(() => engine.openLane({ signal: AbortSignal.abort() })).toThrow(CancelledError)
    expect(() => engine.openLane({ memory: 0 })).toThrow(InvalidArgumentError)
    await one.drain()
    one.cancel()
  })

  it('reads and writes files', async () => {
    const engine = createClearEngine(parameters)
    await using lane = engine.openLane()
    const x = engine.encryptClear(values)
    expect(engine.readClear(await lane.importCiphertext(await lane.exportCiphertext(x))).re).toEqual(values)
    const names = { plan: 'p', keyId: 'k', request: 'r' }
    const file = await lane.importCiphertexts(await lane.exportCiphertexts([x, lane.add(x, x)], names), { plan: 'p' })
    expect(file.names).toEqual(names)
    expect(file.ciphertexts.map((c) => engine.readClear(c).re[3])).toEqual([4, 8])
    expect(lane.progress().done).toBe(4)
  })
})

describe('a lane of the plan engine', () => {
  it('plans into the engine and passes estimates through', () => {
    const engine = createPlanEngine(parameters)
    const lane = engine.openLane()
    const y = lane.rotate(engine.input(), 5)
    lane.declareMagnitude?.(y, 7)
    lane.declareError?.(y, 2 ** -9)
    expect(lane.estimate?.(y)).toMatchObject({ magnitude: 7, error: 2 ** -9 })
    expect(engine.report().keyRequest.rotations).toEqual([{ steps: 5, level: 3 }])
  })
})
