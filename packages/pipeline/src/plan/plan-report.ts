/** What a plan promises, before any key exists. All of it comes from one run of its circuits on the plan engine. */

/** Counts of operations on ciphertexts. */
export interface OperationCounts {
  /** Rotations and conjugations, each a key switch; hoisted ones and those inside matrix products are counted one by one. */
  readonly rotations: number
  /** Products of two ciphertexts. */
  readonly products: number
  /** Products of a ciphertext with a plaintext or a number. */
  readonly plaintextProducts: number
}

/** What a refresh does to which values. */
export interface RefreshReport {
  /** Names of the values: the input, or the layers whose results they are. */
  readonly values: readonly string[]
  /** Bootstraps that it takes, one after another. */
  readonly bootstraps: number
  /** Slots of the circuit, a power of two up to N/2. */
  readonly slots: number
  /** What the circuit's slots hold: two real ciphertexts at a time (`complex`), or one (`real`). */
  readonly content: 'complex' | 'real'
  /** Ciphertexts that masks lay side by side into one of as many times the slots; 1: none are. A power of two. */
  readonly merge: number
  /** Slots must lie in [-range, range] when they are refreshed. */
  readonly range: number
}

/** One line of a plan's report: a layer, a tile of it, or a refresh. */
export interface LayerReport extends OperationCounts {
  /** Name of the task, unique in the plan. */
  readonly name: string
  /** The layer's kind; `refresh` for bootstraps, `merge` where tiles of a batch are brought together. */
  readonly kind: string
  /** Which tile of the batch, from 0. Absent where there is one. */
  readonly tile?: number
  /** What all tiles have in common: the name without their number. Absent where there is one. */
  readonly of?: string
  /** Level at which its inputs are read. */
  readonly level: number
  /** Level of its result. */
  readonly outputLevel: number
  /** Ciphertexts of its result. */
  readonly ciphertexts: number
  /** Estimated time of one run, weights encoded already, in seconds by the cost model. */
  readonly seconds: number
  /** Estimated time of encoding its weights, once, in seconds; 0 where a task before it has encoded the same. */
  readonly encodeSeconds: number
  /** Expected error of the slots of its result in bits, -log2(error), of the least exact ciphertext. */
  readonly precisionBits: number
  /** Of bootstraps only. */
  readonly refresh?: RefreshReport
}

/** Keys of a plan: see `Plan.keyRequest`. */
export interface KeyFigures {
  /** How many there are. */
  readonly count: number
  /** Bytes in an engine that holds all of them. */
  readonly bytes: number
  /** Bytes of their files. */
  readonly fileBytes: number
}

/** Ciphertexts that travel between client and server. */
export interface CiphertextFigures {
  /** How many the client encrypts, those of all frames together. */
  readonly input: number
  /** Bytes of their files, headers apart. They are seeded, which is half the size. */
  readonly inputBytes: number
  /** How many come back. */
  readonly output: number
  /** Bytes of their files, headers apart. */
  readonly outputBytes: number
}

/** Memory of one run, in bytes. */
export interface MemoryFigures {
  /** Peak of keys, ciphertexts, weights and working memory together, all weights and all keys being kept. */
  readonly peakBytes: number
  /** Peak of a run that makes limbs of weights when they are used, and drops weights after their last use. */
  readonly leanPeakBytes: number
  /** Encoded weights, all at once. */
  readonly weightBytes: number
  /** Working memory of the largest operation. */
  readonly scratchBytes: number
}

/** What a plan promises. */
export interface PlanReport extends OperationCounts {
  /** Levels consumed from input to output, on the longest path; what bootstraps take is not counted. */
  readonly depth: number
  /** log2 of the ring degree N. */
  readonly logN: number
  /** log2 of the product of all primes, special ones included: what security depends on, with logN. */
  readonly logQP: number
  /** Bits by which logQP is below the largest that is 128-bit secure for the ring: 0 or more. */
  readonly securityMarginBits: number
  /** Keys that a run needs. */
  readonly keys: KeyFigures
  /** What is encrypted and decrypted. */
  readonly ciphertexts: CiphertextFigures
  /** What a run needs. */
  readonly memory: MemoryFigures
  /** Estimated time of one run, weights encoded already, in seconds by the cost model. */
  readonly seconds: number
  /** Estimated time of encoding all weights once, in seconds by the cost model. */
  readonly encodeSeconds: number
  /** Name of the cost model. */
  readonly costModel: string
  /** Threads that the cost model is made for. */
  readonly threads: number
  /** Expected error of the outputs against the clear network with the same polynomials, in bits: -log2(error). */
  readonly precisionBits: number
  /**
   * The same relative to the range of each element of the output in the calibration data: log2((max - min) / error). Absent
   * without calibration; 0 for an element that never changed.
   */
  readonly outputPrecisionBits?: readonly number[]
  /** Elements of the output that do not depend on the input: their weights are zero. Absent when there are none. */
  readonly constantOutputs?: readonly number[]
  /**
   * Bound on the probability that any bootstrap goes wrong by more than 2^-8 of its range, noise apart, while every value stays
   * in the range it is refreshed with. 0 without bootstraps, and where none can go wrong (docs/notes/bootstrapping.md).
   */
  readonly failureProbability: number
  /**
   * Standard deviations of its error between a grid point and the half-way line to the next, at the refresh where that is least. Absent
   * where no layer refreshes what it computes.
   */
  readonly decisionMargin?: number
  /** One line for each task, in the order in which they run. */
  readonly layers: readonly LayerReport[]
}
