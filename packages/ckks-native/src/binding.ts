/**
 * The surfaces of the two compiled modules, as the C++ glue in native/addon defines them: the engine's, which knows no secret key,
 * and the client's. Nothing outside this package sees them.
 */
declare const brand: unique symbol
/** Opaque externals: engine-owned memory. */
export type CiphertextHandle = { readonly [brand]: 'ciphertext' }
export type PlaintextHandle = { readonly [brand]: 'plaintext' }
export type SecretKeyHandle = { readonly [brand]: 'secretKey' }
export type PublicKeyHandle = { readonly [brand]: 'publicKey' }

export interface BindingSpec {
  readonly logN: number
  readonly levels: readonly (readonly number[])[]
  readonly special: readonly number[]
  readonly digitLimbs: number
  /** Leading special primes that the switch to the ephemeral secret uses. */
  readonly ephemeralSpecials: number
}

export interface BindingMemory {
  readonly ciphertexts: number
  readonly plaintexts: number
  readonly keys: number
  readonly scratch: number
  readonly total: number
  readonly peak: number
}

/** A scope of the queue: everything that computes. */
export interface BindingLane {
  encode(
    re: Float64Array,
    im: Float64Array | undefined,
    level: number,
    scale: number,
    extended: boolean,
    deferred: boolean,
  ): PlaintextHandle
  add(a: CiphertextHandle, b: CiphertextHandle): CiphertextHandle
  sub(a: CiphertextHandle, b: CiphertextHandle): CiphertextHandle
  sum(terms: readonly CiphertextHandle[]): CiphertextHandle
  negate(a: CiphertextHandle): CiphertextHandle
  addPlain(a: CiphertextHandle, b: PlaintextHandle): CiphertextHandle
  subPlain(a: CiphertextHandle, b: PlaintextHandle): CiphertextHandle
  mulPlain(a: CiphertextHandle, b: PlaintextHandle): CiphertextHandle
  /** Constants already multiplied by the scale; rounded to integers. */
  addScalar(a: CiphertextHandle, re: number, im: number): CiphertextHandle
  mulScalar(a: CiphertextHandle, re: number, im: number): CiphertextHandle
  mulByI(a: CiphertextHandle): CiphertextHandle
  mul(a: CiphertextHandle, b: CiphertextHandle): CiphertextHandle
  square(a: CiphertextHandle): CiphertextHandle
  mulAccumulate(a: readonly CiphertextHandle[], b: readonly CiphertextHandle[]): CiphertextHandle
  relinearize(a: CiphertextHandle): CiphertextHandle
  relinearizeRescale(a: CiphertextHandle): CiphertextHandle
  rescale(a: CiphertextHandle): CiphertextHandle
  dropLevel(a: CiphertextHandle, level: number): CiphertextHandle
  /** Through the ephemeral secret, from level 0 to `level`; needs the encapsulation key. */
  modRaise(a: CiphertextHandle, level: number): CiphertextHandle
  /** Rotations of what is raised to `level`, by Galois element (1: none), times plaintexts, rescaled; needs an encapsulation key with these. */
  raiseTransforms(
    inputs: readonly CiphertextHandle[],
    level: number,
    elements: Uint32Array,
    plaintexts: readonly PlaintextHandle[],
  ): CiphertextHandle[]
  /** Galois elements; 1 gives a copy. */
  rotateHoisted(a: CiphertextHandle, elements: Uint32Array): CiphertextHandle[]
  /**
   * Of at least one ciphertext, all of one level; terms[i] belongs to giant step giantOf[i]; elements are Galois elements, 1 for none.
   */
  linearTransforms(
    inputs: readonly CiphertextHandle[],
    giants: Uint32Array,
    giantOf: Uint32Array,
    babies: Uint32Array,
    plaintexts: readonly PlaintextHandle[],
    rescales: boolean,
  ): CiphertextHandle[]
  /** Weights already multiplied by the scale and rounded; row-major. */
  matrixProduct(inputs: readonly CiphertextHandle[], rows: number, weights: Float64Array): CiphertextHandle[]
  /** Constants already multiplied by their scales, real and imaginary parts; the last two are added to the sum. */
  /** Constants as for linearCombination: the products', the terms', and what is added. */
  productCombination(
    a: readonly CiphertextHandle[],
    b: readonly CiphertextHandle[],
    terms: readonly CiphertextHandle[],
    constants: Float64Array,
  ): CiphertextHandle
  linearCombination(terms: readonly CiphertextHandle[], constants: Float64Array): CiphertextHandle

  releaseCiphertext(a: CiphertextHandle): void
  releasePlaintext(a: PlaintextHandle): void
  readyCiphertext(a: CiphertextHandle): Promise<void>
  drain(): Promise<void>
  cancel(): void
  counters(): { queued: number; running: number; done: number; failed: number }
  memory(): BindingMemory
  close(): Promise<void>

  /** Segments: seeds first where there is one, then limbs of 48-bit residues; see docs/notes/file-format.md. */
  exportCiphertext(a: CiphertextHandle): Promise<Uint8Array>
  importCiphertext(level: number, degree: number, seeded: boolean, segment: Uint8Array): Promise<CiphertextHandle>
}

/** The evaluating engine: its own lane, its keys and lanes. It knows no secret key. */
export interface BindingEngine extends BindingLane {
  readonly threads: number
  trim(): void
  /** Shares threads, keys and handles with the engine; 0 for no ceiling. */
  openLane(options: { ceilingBytes: number }): BindingLane

  /** element: 0 for relinearisation, else the Galois element. A key of lower level is replaced. Seed, then the b halves.
   * turbo: the seed is expanded by TurboSHAKE128, else by SHAKE128. */
  loadKey(element: number, level: number, segment: Uint8Array, turbo: boolean): Promise<void>
  /** The switching keys of modRaise, as generateEncapsulationKey makes them; one that does less than the loaded one is dropped. turbo: as above. */
  loadEncapsulationKey(
    level: number,
    elements: Uint32Array | undefined,
    segments: readonly Uint8Array[],
    turbo: boolean,
  ): Promise<void>
  /** What the loaded encapsulation key is for; undefined without one. elements: besides 1, of one with short switches back. */
  encapsulation(): { level: number; elements?: number[] } | undefined
  /** Element 1: the encapsulation key. Operations queued before keep it. */
  unloadKey(element: number): void
  unloadKeys(): void
  keyLevels(): { element: number; level: number }[]
}

/** What only the owner of a secret key has: a compiled module of its own. */
export interface BindingClient {
  generateSecretKey(): Promise<SecretKeyHandle>
  importSecretKey(bytes: Uint8Array): Promise<SecretKeyHandle>
  exportSecretKey(key: SecretKeyHandle): Uint8Array
  releaseSecretKey(key: SecretKeyHandle): void
  generatePublicKey(key: SecretKeyHandle): Promise<Uint8Array>
  importPublicKey(segment: Uint8Array): Promise<PublicKeyHandle>
  releasePublicKey(key: PublicKeyHandle): void
  /** element 0: relinearisation. A seed, then the b halves, with as many zeros before and behind them as asked for. */
  generateKey(key: SecretKeyHandle, element: number, level: number, before: number, behind: number): Promise<Uint8Array>
  /**
   * Draws an ephemeral secret, makes the switching key to it (level 0, base and leading special primes) and those from it (at
   * `level`), and forgets it: an ordinary one, or, for a list of Galois elements, a short one of element 1 and of each. Seed and b halves.
   */
  generateEncapsulationKey(key: SecretKeyHandle, level: number, elements?: Uint32Array): Promise<Uint8Array[]>
  /** A seeded fresh ciphertext: the seed that stands for c1, then c0. */
  encryptSymmetric(
    key: SecretKeyHandle,
    re: Float64Array,
    im: Float64Array | undefined,
    level: number,
    scale: number,
  ): Promise<Uint8Array>
  encryptPublic(
    key: PublicKeyHandle,
    re: Float64Array,
    im: Float64Array | undefined,
    level: number,
    scale: number,
  ): Promise<Uint8Array>
  /** A ciphertext as a server exports it, or as it was encrypted. With the encryption's noise in it: private. */
  decrypt(
    key: SecretKeyHandle,
    ciphertext: { level: number; degree: number; seeded: boolean; slots: number; scale: number },
    segment: Uint8Array,
  ): Promise<{ re: Float64Array; im: Float64Array }>
  close(): Promise<void>
}

export interface Binding {
  kernels(): { readonly active: string; readonly supported: readonly string[] }
  Engine: new (spec: BindingSpec, options: { threads: number; ceilingBytes: number }) => BindingEngine
}

/** The other module: nothing of it is in the engine's. */
export interface ClientBinding {
  Client: new (spec: BindingSpec, options: { threads: number }) => BindingClient
}
