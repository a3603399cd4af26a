import { insecureParametersWithFiles } from '../../parameters/create-parameters.ts'
import { encodeContainer } from '../container.ts'
import { canonicalJson, contentHash } from '../content-hash.ts'
import type { FileKind, HeaderInput } from '../header.ts'
import { packResidues } from '../residues.ts'
import { secretKeyBytes, segmentShapes } from '../segment-shape.ts'

/** Small ring, three limbs: no security, quick tests. */
export const sampleParameters = insecureParametersWithFiles({ logN: 10, levels: 2, scaleBits: 30, dnum: 3 })

function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** Segments with proper residues for a header. */
export function sampleSegments(header: HeaderInput, seed: number): Uint8Array[] {
  const next = random(seed)
  const { ringDegree } = sampleParameters
  return segmentShapes({ ...header, segments: [] } as never, sampleParameters).map(({ prefix, primes }) => {
    const limbs = primes.map((p) =>
      packResidues(Float64Array.from({ length: ringDegree }, () => Math.floor(next() * p))),
    )
    return new Uint8Array(Buffer.concat([new Uint8Array(prefix).fill(7), ...limbs]))
  })
}

const common = { parameters: sampleParameters.id, plan: 'ab'.repeat(32), keyId: 'cd'.repeat(16) }
const document = { b: [1, 2.5, -3e-9], a: { x: null, y: 'slot', z: true } }

/** One header and its segments for every kind. */
export const samples: Readonly<Record<FileKind, { header: HeaderInput; segments: Uint8Array[] }>> = (() => {
  const headers: Record<FileKind, HeaderInput> = {
    ciphertext: {
      kind: 'ciphertext',
      ...common,
      labels: { input: 'image 0' },
      objects: [
        { name: 'x', level: 1, scale: 2 ** 30 + 0.5, slots: 512, degree: 1, seeded: true, limbs: 2 },
        { level: 0, scale: 2 ** 30, slots: 64, degree: 2, seeded: false, limbs: 1 },
      ],
    },
    publicKey: { kind: 'publicKey', ...common, level: 1, seeded: true, limbs: 2 },
    secretKey: { kind: 'secretKey', ...common, logN: 10 },
    relinearizationKey: { kind: 'relinearizationKey', ...common, level: 1, seeded: true, limbs: 3, digits: 2 },
    galoisKey: { kind: 'galoisKey', ...common, level: 0, seeded: false, limbs: 2, digits: 1, galoisElement: 5 },
    encapsulationKey: { kind: 'encapsulationKey', ...common, level: 1, seeded: true, limbs: 3, digits: 2 },
    keySet: {
      kind: 'keySet',
      ...common,
      keys: [
        { file: 'relin.heml', kind: 'relinearizationKey', level: 2, bytes: 1000, sha256: 'ef'.repeat(32) },
        { file: 'g5.heml', kind: 'galoisKey', level: 1, galoisElement: 5, bytes: 900, sha256: '01'.repeat(32) },
      ],
    },
    result: {
      kind: 'result',
      ...common,
      published: { queries: 1000, statisticalBits: 30, sigma: 12345.5, precisionBits: 8.5 },
      tensors: [{ name: 'logits', shape: [10], complex: false }],
    },
    plan: { kind: 'plan', parameters: sampleParameters.id, contentHash: contentHash(document) },
  }
  const own: Partial<Record<FileKind, Uint8Array[]>> = {
    secretKey: [new Uint8Array(secretKeyBytes(10)).fill(0b10_01_00_01)],
    result: [new Uint8Array(new Float64Array(10).map((_, i) => i / 3).buffer)],
    plan: [new TextEncoder().encode(canonicalJson(document))],
  }
  return Object.fromEntries(
    Object.entries(headers).map(([kind, header], i) => [
      kind,
      { header, segments: own[kind as FileKind] ?? sampleSegments(header, i + 1) },
    ]),
  ) as never
})()

/** The file of a kind. */
export const sampleFile = (kind: FileKind): Uint8Array =>
  encodeContainer(samples[kind].header, samples[kind].segments, sampleParameters)
