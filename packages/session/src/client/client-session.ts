/**
 * The client's side of one plan: a secret key (or somebody else's public one), the contract that inputs and results are held to, and
 * the ledger of what was published. Tensors in, files out, and back; what carries the files is `ServerLink`'s business, or the caller's.
 */
import {
  checkArgument,
  checkOptions,
  InvalidArgumentError,
  type KeyRequest,
  type OptionChecks,
  optionCheck,
  type PlanContract,
} from '@he-ml/ckks-core'
import {
  type ClientEngine,
  type KeyFile,
  type KeyGenerationOptions,
  type Ledger,
  type SecretKey,
  startMemoryLedger,
} from '@he-ml/ckks-core/client'
import { modelCheck, type Tensor } from '@he-ml/model'
import { imagesPerTensor, type SlotLayout, unpack } from '@he-ml/packing'
import {
  contractOf,
  inputLayoutOf,
  outputLayoutOf,
  type Plan,
  packInputs,
  parametersOf,
  planCheck,
} from '@he-ml/pipeline'
import { assertParameters } from '../assert-parameters.ts'
import {
  type PublicationSummary,
  type PublicationWish,
  publicationOf,
  publicationSummary,
  publishedVectors,
} from './publication.ts'

/** What a client's session is made of. */
export interface ClientParts {
  /** The plan that inputs are encrypted for. */
  readonly plan: Plan
  /** The session's from now on, which disposes of it. */
  readonly engine: ClientEngine
  /** A secret key, likewise; or the bytes of a public one, which can only encrypt. */
  readonly key: SecretKey | Uint8Array
  /** Where requests and publications are remembered; without one nothing can be published. */
  readonly ledger?: Ledger
  /** What inputs and results are held to; default the given plan's. The ledger's own, where there is one. */
  readonly contract?: PlanContract
}

const PARTS: OptionChecks<ClientParts> = {
  plan: planCheck.plan,
  engine: optionCheck.object,
  key: optionCheck.object,
  ledger: optionCheck.object,
  contract: optionCheck.object,
}
const KEY_OPTIONS: OptionChecks<Omit<KeyGenerationOptions, 'plan'>> = {
  onProgress: optionCheck.callable,
  signal: optionCheck.signal,
}
const ENCRYPT_OPTIONS = { allowOutOfRange: optionCheck.boolean, labels: optionCheck.object }

/** See above. */
export class ClientSession implements AsyncDisposable {
  /** The plan that inputs are encrypted for. */
  readonly plan: Plan
  /** What encrypts and decrypts. */
  readonly engine: ClientEngine
  /** The secret key; or the bytes of a public one, which can only encrypt. */
  readonly key: SecretKey | Uint8Array
  /** Where requests and publications are remembered; undefined: nothing can be published. */
  readonly ledger: Ledger | undefined
  /** What inputs and results are held to. */
  readonly contract: PlanContract

  /** @throws ParameterMismatchError for an engine with other parameters than the plan's, which is left to the caller */
  constructor(parts: ClientParts) {
    checkOptions('ClientSession', parts, PARTS)
    const { plan, engine, key, ledger, contract } = parts
    checkArgument('ClientSession', 'plan', plan, planCheck.plan)
    checkArgument('ClientSession', 'engine', engine, optionCheck.object)
    assertParameters('client', engine, parametersOf(plan))
    this.plan = plan
    this.engine = engine
    this.key = key
    this.ledger = ledger
    this.contract = contract ?? contractOf(plan)
  }

  /**
   * A session with a fresh secret key that dies with the process, and a ledger as long-lived where the engine can publish.
   * @throws ParameterMismatchError for an engine with other parameters than the plan's
   */
  static async create(plan: Plan, engine: ClientEngine): Promise<ClientSession> {
    assertParameters('client', engine, parametersOf(plan))
    const key = await engine.generateSecretKey()
    const contract = contractOf(plan)
    const ledger = engine.errorsWithinPlan ? { ledger: startMemoryLedger({ keyId: key.keyId, contract, used: 0 }) } : {}
    return new ClientSession({ plan, engine, key, contract, ...ledger })
  }

  /** Where the elements of an input lie, or of each of its frames. */
  get inputLayout(): SlotLayout {
    return inputLayoutOf(this.plan)
  }
  /** Where the elements of the output lie. */
  get outputLayout(): SlotLayout {
    return outputLayoutOf(this.plan)
  }
  /** The secret key. @throws InvalidArgumentError for a session that has a public one */
  get secret(): SecretKey {
    if (this.key instanceof Uint8Array)
      throw new InvalidArgumentError('this session has a public key, which can only encrypt: the secret key is needed')
    return this.key
  }

  /** The evaluation keys of the plan, one at a time. @throws CancelledError through the signal */
  evaluationKeys(options: Omit<KeyGenerationOptions, 'plan'> = {}): AsyncIterable<KeyFile> {
    checkOptions('evaluationKeys', options, KEY_OPTIONS)
    const request = this.plan.keyRequest as KeyRequest
    return this.engine.generateEvaluationKeys(this.secret, request, { ...options, plan: this.plan.id })
  }

  /**
   * One file of inputs; the ledger remembers its request.
   *
   * @param tensors at most as many as the plan's batch; [frames, ...] where the plan's input changes over time
   * @throws InvalidArgumentError for too many, for another shape, or for values outside the plan's range
   */
  async encrypt(
    tensors: readonly Tensor[],
    options: { readonly allowOutOfRange?: boolean; readonly labels?: Record<string, string> } = {},
  ): Promise<Uint8Array> {
    const { plan } = this
    checkArgument('encrypt', 'the input', tensors, modelCheck.tensors)
    checkOptions('encrypt', options, ENCRYPT_OPTIONS)
    if (tensors.length === 0 || tensors.length > plan.batch)
      throw new InvalidArgumentError(
        `the plan takes ${plan.batch} image${plan.batch === 1 ? '' : 's'} at a time, got ${tensors.length}`,
      )
    return this.engine.encrypt(
      this.key,
      packInputs(plan, tensors).map((values) => ({ values })),
      { ...options, contract: this.contract, ...(this.ledger ? { ledger: this.ledger } : {}) },
    )
  }

  /** A result, for its owner's eyes: with the encryption's noise in it. @throws ParameterMismatchError for any other file */
  async decrypt(file: Uint8Array, images: number = imagesPerTensor(this.outputLayout)): Promise<Tensor[]> {
    checkArgument('decrypt', 'file', file, optionCheck.bytes)
    const results = await this.engine.decrypt(this.secret, file, { contract: this.contract })
    return unpack(
      results.map((r) => r.re),
      this.outputLayout,
      images,
    )
  }

  /**
   * Slots of every ciphertext of a file under this key, whatever it is: what `diffRun` looks at lies within a run and fits no contract.
   * As private as what `decrypt` gives.
   * @throws FormatError, ParameterMismatchError for another key or other parameters
   */
  async decryptSlots(file: Uint8Array): Promise<Float64Array[]> {
    checkArgument('decryptSlots', 'file', file, optionCheck.bytes)
    return (await this.engine.decrypt(this.secret, file)).map(({ re }) => re)
  }

  /**
   * A result that others may see; counted by the ledger (docs/notes/publishing-results.md).
   * @throws SecurityError when the ledger refuses, or there is none; PlanError when too little precision would remain
   */
  async publish(
    file: Uint8Array,
    wish: PublicationWish,
    ledger: Ledger | undefined = this.ledger,
  ): Promise<{
    /** One per image, in the shape of the plan's output. */
    readonly tensors: Tensor[]
    /** How much noise they have. */
    readonly summary: PublicationSummary
  }> {
    checkArgument('publish', 'file', file, optionCheck.bytes)
    const layout = this.outputLayout
    const options = await publicationOf(this.plan, layout, ledger, wish)
    const results = await this.engine.decryptForPublication(this.secret, file, options)
    const tensors = unpack(publishedVectors(results, options, layout), layout, wish.images)
    return { tensors, summary: publicationSummary(results) }
  }

  /** Disposes of the engine and of a secret key. */
  async dispose(): Promise<void> {
    if (!(this.key instanceof Uint8Array)) this.key.dispose()
    await this.engine.dispose()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}
