/** What a planner has to know of SEAL: how long its operations take, and what its heap holds. */
import {
  type AnyParameters,
  type CostModel,
  createDefaultCostModel,
  type OperationKind,
  PlanError,
  scaleCostModel,
} from '@he-ml/ckks-core'
import { KEY_HEAP, sealKeyBytes } from './keys/seal-keys.ts'

/**
 * Of the native engine's times for the same parameters (a digit for each limb): rotations took 8.0 times as long in WebAssembly, products with
 * relinearisation and rescaling 9.6, at N = 2^15 with 16 primes on one thread of one machine (`npm run bench -- peers-seal`).
 */
const SLOWER = 8.5

/**
 * What differs from that, where rotations took 8: a product with a number makes a plaintext of it first, and products are SEAL's slowest passes;
 * sums and what copies are bound by memory, as they are natively.
 */
const FACTORS: Partial<Record<OperationKind, number>> = {
  ...{ mulScalar: 14, mulPlain: 10, mul: 10 },
  ...{ add: 1.3, addPlain: 1.3, dropLevel: 1.7 },
}

/** What the native engine does at once and SEAL one after the other: each kind as those that stand for it. */
const MADE_OF: Partial<Record<OperationKind, readonly OperationKind[]>> = {
  relinearizeRescale: ['relinearize', 'rescale'],
  matrixProduct: ['mulScalar', 'add'],
  // every rotation is a whole one
  decompose: [],
  hoistedRotation: ['rotate'],
  transformBaby: ['rotate'],
  transformTerm: ['mulPlain', 'add'],
  transformGiant: ['rotate'],
  modDown: [],
  modDownRescale: ['rescale'],
}

/** Times of SEAL's operations, on the one thread that it has. */
export function sealCostModel(): CostModel {
  const factors = scaleCostModel(createDefaultCostModel({ threads: 1 }), FACTORS, { otherwise: SLOWER })
  return {
    name: 'seal',
    threads: 1,
    seconds: (kind, size) => (MADE_OF[kind] ?? [kind]).reduce((sum, part) => sum + factors.seconds(part, size), 0),
  }
}

/** The most that a run needs at one time. */
export interface SealLoad {
  /** Of the plan: they decide how large a key is. */
  readonly parameters: AnyParameters
  /** Evaluation keys that one layer uses. */
  readonly keysAtOnce: number
  /** Bytes of ciphertexts, encoded weights and working memory, at 8 bytes a residue. */
  readonly valueBytes: number
}

/**
 * Refuses what SEAL's heap of 4 GB cannot hold; keys of other layers come and go.
 * @throws PlanError ('memory') that says what takes how much
 */
export function assertSealHolds({ parameters, keysAtOnce, valueBytes }: SealLoad): void {
  const keyBytes = keysAtOnce * sealKeyBytes(parameters)
  if (keyBytes + valueBytes <= KEY_HEAP) return
  const gb = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`
  throw new PlanError(
    'memory',
    `SEAL's heap ends at 4 GB, and one layer needs ${keysAtOnce} keys of ${gb(sealKeyBytes(parameters))} each beside ${gb(valueBytes)} of ciphertexts and weights: lower the option batch or, for a smaller ring, the option activation.degree, or take the native engine`,
  )
}
