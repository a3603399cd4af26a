import { describe, expect, it } from 'vitest'
import { createClientContext } from '../client/backend/create-client-context.ts'
import { plainBytes } from './plain-bytes.ts'

/** Counts what is alive; takes bytes as node-seal 7 does, only under the plain class. */
function strictSeal() {
  const state = { alive: 0, loaded: [] as number[][], isFailing: false }
  class Thing {
    constructor() {
      state.alive++
    }
    delete() {
      state.alive--
    }
    loadFromArray(_: unknown, bytes: Uint8Array) {
      if (bytes.constructor !== Uint8Array) throw new Error('parameter 2 has unknown type')
      if (state.isFailing) throw new Error('out of order')
      state.loaded.push([...bytes])
    }
    saveToArray() {
      if (state.isFailing) throw new Error('out of order')
      return Uint8Array.of(7)
    }
  }
  const made = () => new Thing()
  class Id extends Thing {
    values = () => new BigUint64Array(4)
  }
  class Data extends Thing {
    parmsId = () => new Id()
    nextContextData = () => new Data()
  }
  class Context extends Thing {
    parametersSet = () => !state.isFailing
    firstContextData = () => new Data()
    keyParmsId = () => new Id()
  }
  class Parms extends Thing {
    setPolyModulusDegree() {}
    setCoeffModulus() {}
    push_back() {}
  }
  class Generator extends Thing {
    createPublicKey = made
    createPublicKeySerializable = made
    createRelinKeysSerializable = made
    createGaloisKeysSerializableWithSteps = made
    secretKey = made
  }
  class Encryptor extends Thing {
    encryptSerializable = made
    encryptSymmetricSerializable = made
    decrypt() {
      if (state.isFailing) throw new Error('out of order')
    }
  }
  const module = {
    ...{ SchemeType: { ckks: {} }, SecLevelType: { none: {} }, ComprModeType: { none: {} } },
    ...{ EncryptionParameters: Parms, VectorModulus: Parms, Modulus: Thing, SEALContext: Context, Evaluator: Thing },
    ...{ CKKSEncoder: Thing, Plaintext: Thing, Ciphertext: Thing, RelinKeys: Thing, GaloisKeys: Thing },
    ...{ SecretKey: Thing, PublicKey: Thing, KeyGenerator: Generator, Encryptor, Decryptor: Encryptor },
  }
  return { state, module }
}

const spec = { ringDegree: 8, primes: [17, 97, 113], security: 0 } as const
const buffer = Buffer.from([0, 0, 0, 1, 2, 3]).subarray(3)

describe('bytes for node-seal 7', () => {
  it('are plain, at their own offset', () => {
    expect(buffer.byteOffset).toBeGreaterThan(0)
    expect(plainBytes(buffer)).toEqual(Uint8Array.of(1, 2, 3))
    expect(plainBytes(buffer).constructor).toBe(Uint8Array)
    const own = Uint8Array.of(5)
    expect(plainBytes(own)).toBe(own)
  })

  it('reach it from Buffers at every entry', () => {
    const { state, module } = strictSeal()
    const context = createClientContext(module, spec)
    const secret = context.generateSecret()
    const plain = context.loadPlaintext(buffer)
    context.loadCiphertext(buffer)
    context.loadRelinearizationKey(buffer)
    context.loadGaloisKeys(buffer)
    context.loadSecret(buffer)
    context.encryptPublic(buffer, plain)
    expect(secret).toBeDefined()
    expect(state.loaded).toEqual(new Array(6).fill([1, 2, 3]))
  })
})

describe('the heap of node-seal 7', () => {
  it('is given back by every call that fails', () => {
    const { state, module } = strictSeal()
    const context = createClientContext(module, spec)
    const secret = context.generateSecret()
    const plain = context.loadPlaintext(buffer)
    const ciphertext = context.loadCiphertext(buffer)
    state.isFailing = true
    const before = state.alive
    const calls: (() => unknown)[] = [
      () => context.loadPlaintext(buffer),
      () => context.loadCiphertext(buffer),
      () => context.loadRelinearizationKey(buffer),
      () => context.loadGaloisKeys(buffer),
      () => context.loadSecret(buffer),
      () => context.generatePublicKey(secret),
      () => context.generateRelinearizationKey(secret),
      () => context.generateGaloisKey(secret, 1),
      () => context.encryptSymmetric(secret, plain),
      () => context.encryptPublic(buffer, plain),
      () => context.decrypt(secret, ciphertext),
      () => createClientContext(module, spec),
    ]
    for (const call of calls) {
      expect(call, String(call)).toThrow()
      expect(state.alive, String(call)).toBe(before)
    }
  })
})
