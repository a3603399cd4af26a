/** Objects of a file of SEAL's, for people. */
import type { SealObjectDescription } from '@he-ml/ckks-seal/client'
import { bytes } from './output.ts'

const NAMES = {
  ciphertext: 'ciphertext',
  publicKey: 'public key',
  secretKey: 'secret key',
  relinearizationKey: 'relinearisation key',
  galoisKeys: 'Galois keys',
} as const

function detail(object: SealObjectDescription): string {
  if (object.kind === 'secretKey') return `${object.residues} residues`
  const ring = `ring 2^${Math.log2(object.ringDegree)}, ${object.primes} prime${object.primes === 1 ? '' : 's'}`
  if (object.kind === 'ciphertext')
    return `${ring}, scale 2^${Math.log2(object.scale).toFixed(2)}, ${object.polynomials} polynomials${object.seeded ? ', the second as a seed' : ''}`
  if (object.kind !== 'galoisKeys') return ring
  const uses = object.steps.map((steps) => (steps === 0 ? 'conjugation' : `rotation by ${steps}`))
  return `${ring}, for ${uses.slice(0, 8).join(', ')}${uses.length > 8 ? ` and ${uses.length - 8} more` : ''}`
}

/** A line for the file, and one for each run of objects that differ in nothing. */
export function sealText(objects: readonly SealObjectDescription[], size: number): string[] {
  const runs: { object: SealObjectDescription; count: number }[] = []
  for (const object of objects) {
    const last = runs.at(-1)
    if (last && JSON.stringify(last.object) === JSON.stringify(object)) last.count++
    else runs.push({ object, count: 1 })
  }
  const keyId = objects.find((object) => object.kind === 'secretKey')?.keyId
  return [
    `a file of SEAL's, ${bytes(size)} in ${objects.length} object${objects.length === 1 ? '' : 's'}`,
    ...runs.map(
      ({ object, count }) =>
        `  ${count === 1 ? '' : `${count} x `}${NAMES[object.kind]}, ${bytes(object.bytes)}: ${detail(object)}; parameters ${object.parameters.slice(0, 16)}`,
    ),
    keyId === undefined
      ? '  key: not named here, nor the plan; the manifest of a folder of keys names both'
      : `  key: ${keyId}`,
  ]
}
