/**
 * Every ring-LWE problem that the security of this project rests on: the named sets, the largest modulus that any other
 * parameters (a plan's own, a user's) may have in each ring, and what the ephemeral secret of bootstrapping sees, in the
 * named sets and at its limits. Read from the code, so that the estimates can be held against it.
 */
import {
  BOOTSTRAPPING_SETS,
  bootstrappingSet,
  EPHEMERAL_WEIGHT,
  ephemeralLogQP,
  MAX_LOG_QP_128,
  MAX_LOG_SPARSE_128,
  RECOMMENDED,
  type RecommendedName,
  recommendedParameters,
} from '../../packages/ckks-core/src/index.ts'

export type Secret = { readonly kind: 'ternary' } | { readonly kind: 'sparse'; readonly weight: number }

/** A secret, an error and a modulus: what an attacker of one set faces, with as many samples as wanted. */
export interface Problem {
  readonly name: string
  readonly logN: number
  /** log2 of the largest modulus under which the secret is used, rounded up to hundredths of a bit. */
  readonly logQP: number
  /** Uniform in {-1, 0, 1}, or exactly `weight` coefficients that are 1 or -1. */
  readonly secret: Secret
  /** Fair bits of the centred binomial error: half of them less the other half. */
  readonly errorBits: number
}

/** Both engines draw errors from 42 bits: variance 21/2, deviation 3.24 (docs/notes/sampling.md). */
export const ERROR_BITS = 42

const roundUp = (bits: number): number => Math.ceil(Number((bits * 100).toFixed(6))) / 100

const dense = (name: string, logN: number, bits: number): Problem => ({
  name,
  logN,
  logQP: roundUp(bits),
  secret: { kind: 'ternary' },
  errorBits: ERROR_BITS,
})

const sparse = (name: string, logN: number, bits: number): Problem => ({
  ...dense(name, logN, bits),
  secret: { kind: 'sparse', weight: EPHEMERAL_WEIGHT },
})

const byRing = (limits: Readonly<Record<number, number>>, make: (logN: number, bits: number) => Problem): Problem[] =>
  Object.entries(limits).map(([logN, bits]) => make(Number(logN), bits))

export function securityProblems(): Problem[] {
  const bootstrapping = Object.keys(BOOTSTRAPPING_SETS).map((name) => ({ name, ...bootstrappingSet(name) }))
  return [
    ...(Object.keys(RECOMMENDED) as RecommendedName[]).map((name) => {
      const { logN, logQP } = recommendedParameters(name)
      return dense(name, logN, logQP)
    }),
    ...bootstrapping.map(({ name, parameters }) => dense(name, parameters.logN, parameters.logQP)),
    ...byRing(MAX_LOG_QP_128, (logN, bits) => dense(`limit-N${logN}`, logN, bits)),
    ...bootstrapping.map(({ name, parameters }) =>
      sparse(`${name}-ephemeral`, parameters.logN, ephemeralLogQP(parameters)),
    ),
    ...byRing(MAX_LOG_SPARSE_128, (logN, bits) => sparse(`limit-N${logN}-ephemeral`, logN, bits)),
  ]
}
