/**
 * Sparse-secret encapsulation through the whole package: keys made by the client, loaded by the server, and modRaise, whose
 * result is the message plus small multiples of the base modulus, coefficient by coefficient.
 */
import {
  type AnyParameters,
  CancelledError,
  type Ciphertext,
  createParameters,
  type DiagonalMatrix,
  encodeContainer,
  FormatError,
  galoisElement,
  InvalidArgumentError,
  insecureParametersWithFiles,
  keyBytes,
  keyFileBytes,
  LevelError,
  MissingKeyError,
  ParameterMismatchError,
  parseContainer,
  prepareLinearTransform,
  RAISE_BOUND,
  SecurityError,
  type Split,
} from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { createNativeClient } from './client/native-client.ts'
import type { NativeCiphertext, NativePlaintext } from './handles.ts'
import { loadEvaluationKey } from './keys/load-keys.ts'
import { createStack, precisionBits, randomValues, rotationKeys, type Slots } from './native.test-helper.ts'
import { createNativeEngine } from './native-engine.ts'

const parameters = insecureParametersWithFiles({ logN: 10, levels: 3, scaleBits: 40, baseBits: 45 })
const twoPrimeBase = insecureParametersWithFiles({ logN: 10, levels: 2, scaleBits: 40, baseBits: 60 })

/** Coefficients of the real polynomial with these N/2 slots, from the definition: slot j is its value at zeta^(5^j). */
function coefficients({ re, im }: Slots): Float64Array {
  const slots = re.length
  const out = new Float64Array(2 * slots)
  for (let j = 0, power = 1; j < slots; j++, power = (power * 5) % (4 * slots))
    for (let k = 0; k < out.length; k++) {
      const angle = (Math.PI * ((power * k) % (4 * slots))) / (2 * slots)
      out[k]! += (re[j]! * Math.cos(angle) + im[j]! * Math.sin(angle)) / slots
    }
  return out
}

/** The multiples of the base modulus that modRaise added, and how far from whole they are at most. */
async function raisedBy(of: AnyParameters, level: number, keyLevel: number) {
  await using stack = await createStack(of, { rotations: [], encapsulation: keyLevel })
  expect(stack.server.loadedKeys).toEqual({ rotations: [], encapsulation: keyLevel })
  const re = randomValues(512, 1)
  const im = randomValues(512, 2)
  const { native } = await stack.encrypt(re, { im, level: 0 })
  const raised = stack.server.modRaise(native, level)
  expect(raised).toMatchObject({ level, scale: native.scale, slots: 512, degree: 1 })
  const got = coefficients(await stack.read(raised))
  const message = coefficients({ re, im })
  const multiples = got.map((c, k) => ((c - message[k]!) * native.scale) / of.groupProduct(0))
  return {
    largest: Math.max(...multiples.map((m) => Math.abs(Math.round(m)))),
    fraction: Math.max(...multiples.map((m) => Math.abs(m - Math.round(m)))),
  }
}

describe('modRaise', () => {
  it.each([
    ['a base of one prime', parameters, 3, 3],
    ['a key of a higher level', parameters, 1, 3],
    ['a base of two primes', twoPrimeBase, 2, 2],
  ] as const)('%s: adds small multiples of the base modulus, nothing else', async (_, of, level, keyLevel) => {
    const { largest, fraction } = await raisedBy(of, level, keyLevel)
    expect(largest).toBeLessThanOrEqual(RAISE_BOUND)
    expect(largest).toBeGreaterThanOrEqual(3)
    // encryption and switching noise, far below q0
    expect(fraction).toBeLessThan(2 ** -20)
  })

  it('dropped to the base again, the message is unchanged', async () => {
    await using stack = await createStack(parameters, { rotations: [], encapsulation: 3 })
    const re = randomValues(512, 3)
    const { native } = await stack.encrypt(re, { level: 0 })
    const { re: got } = await stack.read(stack.server.dropLevel(stack.server.modRaise(native), 0))
    expect(Math.max(...got.map((x, i) => Math.abs(x - re[i]!)))).toBeLessThan(2 ** -18)
  })

  it('needs its key, at the level raised to, and an operand of level 0', async () => {
    await using stack = await createStack(parameters, { rotations: [], encapsulation: 2 })
    const { server } = stack
    const { native } = await stack.encrypt(randomValues(512, 4))
    const low = server.dropLevel(native, 0)
    expect(() => server.modRaise(native)).toThrow(LevelError)
    expect(() => server.modRaise(low, 0)).toThrow(LevelError)
    expect(() => server.modRaise(low, 3)).toThrow(/encapsulation key at level >= 3/)
    expect(() => server.modRaise(low, 4)).toThrow()
    await server.modRaise(low, 2).ready()
    server.unloadKeys()
    expect(server.loadedKeys).toEqual({ rotations: [] })
    expect(() => server.modRaise(low, 2)).toThrow(MissingKeyError)
    expect(() => server.binding.modRaise((low as NativeCiphertext).handle, 2)).toThrow(/no encapsulation key/)
    await server.drain()
    expect(server.memory().keys).toBe(0)
  })

  it('reports levels that only the compiled engine sees', async () => {
    await using stack = await createStack(parameters, { rotations: [], encapsulation: 2 })
    const { native } = await stack.encrypt(randomValues(512, 5))
    const low = stack.server.dropLevel(native, 0)
    stack.server.binding.modRaise((low as NativeCiphertext).handle, 3)
    await expect(stack.server.drain()).rejects.toThrow(/reaches levels 1 to 2/)
    stack.server.binding.modRaise((native as NativeCiphertext).handle, 2)
    await expect(stack.server.drain()).rejects.toThrow(LevelError)
  })
})

/** A matrix of three diagonals of 512 slots. */
const matrix = {
  slots: 512,
  diagonals: new Map([0, 3, 500].map((step) => [step, randomValues(512, step + 1)])),
}

describe('raiseTransforms', () => {
  const request = { rotations: rotationKeys([3, 500], 3), encapsulation: 3, raising: [3, 500] }

  it.each([
    ['a base of one prime', parameters, 3],
    ['a base of two primes', twoPrimeBase, 2],
  ] as const)('%s: modRaise and a transform, rescaled', async (_, of, level) => {
    const rotations = rotationKeys([3, 500], level)
    await using stack = await createStack(of, { rotations, encapsulation: level, raising: [3, 500] })
    const { server } = stack
    expect(server.loadedKeys).toEqual({ rotations, encapsulation: level, raising: [3, 500] })
    const { native } = await stack.encrypt(randomValues(512, 7), { im: randomValues(512, 8), level: 0 })
    // what is raised is many times q0: a scale that makes the diagonals as small
    const scale = (of.groupProduct(level) * native.scale) / of.groupProduct(0) / 64
    using transform = await prepareLinearTransform(server, matrix, { level, scale, split: 'none' })
    const [got, twin] = server.raiseTransforms([native, native], transform) as [Ciphertext, Ciphertext]
    expect(await stack.read(twin)).toEqual(await stack.read(got))
    expect(got).toMatchObject({ level: level - 1, slots: 512, degree: 1 })
    const raised = server.modRaise(native, level)
    const want = server.linearTransformRescale(raised, transform)
    expect(got.scale).toBe(want.scale)
    const [x, y] = [await stack.read(got), await stack.read(want)]
    const largest = Math.max(...y.re.map(Math.abs))
    // in parts of the result, which is as many times the message as q0 is
    expect(precisionBits(x, y) + Math.log2(largest)).toBeGreaterThan(20)
    expect(await stack.read(server.rescale(server.linearTransform(raised, transform)))).toEqual(y)
  })

  it('needs its rotations, no giant steps, all slots, and an operand of level 0', async () => {
    await using stack = await createStack(parameters, request)
    const { server } = stack
    const { native } = await stack.encrypt(randomValues(512, 4), { level: 0 })
    const prepare = (of: DiagonalMatrix, split?: Split | 'none') =>
      prepareLinearTransform(server, of, { level: 3, scale: 2 ** 10, ...(split ? { split } : {}) })
    using fitting = await prepare(matrix, 'none')
    await server.raiseTransforms([native], fitting)[0]!.ready()
    expect(() => server.raiseTransforms([], fitting)).toThrow(/at least one/)
    expect(() => server.raiseTransforms([server.modRaise(native)], fitting)).toThrow(/level 0, got level 3/)
    using giants = await prepare(matrix, { length: 2, offset: 0 })
    expect(() => server.raiseTransforms([native], giants)).toThrow(/without giant steps/)
    using small = await prepare({ slots: 4, diagonals: new Map([[1, Float64Array.of(1, 2, 3, 4)]]) }, 'none')
    expect(() => server.raiseTransforms([native], small)).toThrow(InvalidArgumentError)
    using more = await prepare({ slots: 512, diagonals: new Map([[4, randomValues(512, 1)]]) }, 'none')
    expect(() => server.raiseTransforms([native], more)).toThrow(MissingKeyError)
    const handle = (more.giants[0]!.terms[0]!.plaintext as NativePlaintext).handle
    const element = galoisElement(4, parameters.logN)
    server.binding.raiseTransforms([(native as NativeCiphertext).handle], 3, Uint32Array.of(element), [handle])
    await expect(server.drain()).rejects.toThrow(/no rotation of Galois element/)
    server.unloadKeys()
    expect(() => server.raiseTransforms([native], fitting)).toThrow(MissingKeyError)
  })

  it('a key with rotations is not replaced by one with fewer, and serves modRaise alone', async () => {
    const client = createNativeClient(parameters)
    const server = createNativeEngine(parameters)
    const key = await client.generateSecretKey()
    for (const [raising, want] of [
      [undefined, undefined],
      [[], []],
      [[3], [3]],
      [undefined, [3]],
      [
        [5, 3],
        [3, 5],
      ],
    ] as const) {
      const wanted = { rotations: [], encapsulation: 2, ...(raising ? { raising } : {}) }
      for await (const { bytes } of client.generateEvaluationKeys(key, wanted)) await loadEvaluationKey(server, bytes)
      expect(server.loadedKeys).toEqual({ rotations: [], encapsulation: 2, ...(want ? { raising: want } : {}) })
      expect(server.hasKey({ kind: 'encapsulation', level: 2 })).toBe(true)
      expect(server.hasKey({ kind: 'encapsulation', level: 2, steps: [3] })).toBe(want?.includes(3 as never) ?? false)
    }
    await server.dispose()
    await client.dispose()
  })

  it('a key that does more in one respect and less in another takes no place, and neither loses anything', async () => {
    const client = createNativeClient(parameters)
    const server = createNativeEngine(parameters)
    const key = await client.generateSecretKey()
    const load = async (encapsulation: number, raising?: readonly number[]) => {
      const wanted = { rotations: [], encapsulation, ...(raising ? { raising } : {}) }
      for await (const { bytes } of client.generateEvaluationKeys(key, wanted)) await loadEvaluationKey(server, bytes)
    }
    await load(2, [3])
    await expect(load(2, [5])).rejects.toThrow(InvalidArgumentError)
    await expect(load(3)).rejects.toThrow(/make one for both, or unload the other first/)
    expect(server.loadedKeys).toEqual({ rotations: [], encapsulation: 2, raising: [3] })
    await load(3, [3, 5])
    expect(server.loadedKeys).toEqual({ rotations: [], encapsulation: 3, raising: [3, 5] })
    await expect(load(3, [3])).resolves.toBeUndefined()
    await server.dispose()
    await client.dispose()
  })

  it('rotations of a key for what is raised need the level that is raised to', async () => {
    const client = createNativeClient(parameters)
    const key = await client.generateSecretKey()
    const made = client.generateEvaluationKeys(key, { rotations: [], raising: [3] })
    await expect(made.next()).rejects.toThrow(/needs encapsulation/)
    await client.dispose()
  })

  it('keys take the memory and the bytes that are said before', async () => {
    await using stack = await createStack(parameters, { rotations: [], encapsulation: 3, raising: [1, 2, 7] })
    const need = { kind: 'encapsulation', level: 3, steps: [1, 2, 7] } as const
    expect(stack.server.memory().keys).toBe(keyBytes(parameters, need))
    const client = createNativeClient(parameters)
    const key = await client.generateSecretKey()
    for await (const file of client.generateEvaluationKeys(key, {
      rotations: [],
      encapsulation: 3,
      raising: [1, 2, 7],
    })) {
      expect(file.raising).toEqual([1, 2, 7].map((steps) => galoisElement(steps, parameters.logN)))
      expect(Math.abs(file.bytes.length - keyFileBytes(parameters, need))).toBeLessThan(2048)
      const { segments } = parseContainer(file.bytes, { kind: 'encapsulationKey', parameters })
      expect(segments).toHaveLength(5)
    }
    await client.dispose()
  })
})

describe('encapsulation keys', () => {
  const make = async (level: number) => {
    const client = createNativeClient(parameters)
    const key = await client.generateSecretKey()
    const files: Uint8Array[] = []
    for await (const file of client.generateEvaluationKeys(key, { rotations: [], encapsulation: level })) {
      expect(file).toMatchObject({ name: 'encapsulation.key', kind: 'encapsulationKey', level })
      files.push(file.bytes)
    }
    await client.dispose()
    return { keyId: key.keyId, file: files[0]! }
  }

  it('are two seeded segments, different each time', async () => {
    const [one, two] = [await make(2), await make(2)]
    const { header, segments } = parseContainer(one.file, { kind: 'encapsulationKey', parameters })
    expect(header).toMatchObject({ keyId: one.keyId, level: 2, seeded: true, digits: parameters.digitsAt(2) })
    expect(segments).toHaveLength(2)
    expect(Buffer.compare(segments[0]!.subarray(0, 32), segments[1]!.subarray(0, 32))).not.toBe(0)
    expect(Buffer.compare(one.file.subarray(-32), two.file.subarray(-32))).not.toBe(0)
  })

  it('of a higher level replace those of a lower, not the reverse', async () => {
    const client = createNativeClient(parameters)
    const server = createNativeEngine(parameters)
    const key = await client.generateSecretKey()
    for (const [level, want] of [
      [1, 1],
      [3, 3],
      [2, 3],
    ] as const) {
      const keys = client.generateEvaluationKeys(key, { rotations: rotationKeys([1], 0), encapsulation: level })
      for await (const { bytes } of keys) await loadEvaluationKey(server, bytes)
      expect(server.loadedKeys.encapsulation).toBe(want)
    }
    // the list of Galois elements does not know them
    expect(server.binding.keyLevels()).toEqual([{ element: galoisElement(1, parameters.logN), level: 0 }])
    await server.dispose()
    expect(server.loadedKeys).toEqual({ rotations: [] })
    await client.dispose()
  })

  it('of another secret key or other parameters are refused', async () => {
    const server = createNativeEngine(parameters)
    await loadEvaluationKey(server, (await make(1)).file)
    await expect(loadEvaluationKey(server, (await make(2)).file)).rejects.toThrow(ParameterMismatchError)
    expect(server.loadedKeys).toEqual({ rotations: [], encapsulation: 1 })
    await server.dispose()
    const other = createNativeEngine(twoPrimeBase)
    await expect(loadEvaluationKey(other, (await make(1)).file)).rejects.toThrow(ParameterMismatchError)
    await other.dispose()
  })

  it('never enter as Galois keys, nor swapped, nor short', async () => {
    const server = createNativeEngine(parameters)
    const { file, keyId } = await make(2)
    const { header, segments } = parseContainer(file, { parameters })
    const { segments: _, kind, ...rest } = header as Extract<typeof header, { kind: 'encapsulationKey' }>
    const posing = encodeContainer({ ...rest, kind: 'galoisKey', galoisElement: 3 }, [segments[1]!], parameters)
    await expect(loadEvaluationKey(server, posing)).rejects.toThrow(FormatError)
    const load = (level: number, parts: readonly Uint8Array[], elements?: Uint32Array) =>
      server.binding.loadEncapsulationKey(level, elements, parts, true)
    await expect(load(2, [segments[1]!, segments[0]!])).rejects.toThrow(/exactly/)
    await expect(load(2, [segments[0]!, segments[1]!.subarray(1)])).rejects.toThrow(/exactly/)
    await expect(load(9, segments)).rejects.toThrow(/levels are 0 to 3/)
    // an ordinary switch back is no short one
    await expect(load(2, segments, Uint32Array.of())).rejects.toThrow(/exactly/)
    expect(() => load(2, segments, Uint32Array.of(5))).toThrow(/segments/)
    expect(kind).toBe('encapsulationKey')
    expect(keyId).toHaveLength(32)
    expect(server.loadedKeys).toEqual({ rotations: [] })
    expect(server.keyId).toBeUndefined()
    await server.dispose()
  })

  it('are cancelled like others', async () => {
    const client = createNativeClient(parameters)
    const key = await client.generateSecretKey()
    const keys = client.generateEvaluationKeys(
      key,
      { rotations: [], encapsulation: 1 },
      { signal: AbortSignal.abort() },
    )
    await expect(keys.next()).rejects.toThrow(CancelledError)
    await client.dispose()
  })

  it('are not made where the sparse secret would be insecure', async () => {
    const small = createParameters({ logN: 13, levels: 1, scaleBits: 30 })
    const client = createNativeClient(small)
    const key = await client.generateSecretKey()
    const keys = client.generateEvaluationKeys(key, { rotations: [], encapsulation: 1 })
    await expect(keys.next()).rejects.toThrow(SecurityError)
    await client.dispose()
  })

  it('take a number of special primes that exists', () => {
    const server = createNativeEngine(parameters)
    const Engine = server.binding.constructor as new (spec: object, options: object) => unknown
    const spec = { logN: 10, levels: parameters.q, special: parameters.p, digitLimbs: parameters.digitLimbs }
    for (const ephemeralSpecials of [0, parameters.p.length + 1])
      expect(() => new Engine({ ...spec, ephemeralSpecials }, { threads: 1, ceilingBytes: 0 })).toThrow(
        expect.objectContaining({ code: new InvalidArgumentError('').code }),
      )
    return server.dispose()
  })
})
