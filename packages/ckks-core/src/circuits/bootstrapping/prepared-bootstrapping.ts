import { InvalidArgumentError } from '../../errors/errors.ts'
import { EPHEMERAL_WEIGHT } from '../../parameters/ephemeral.ts'
import type { Encoder, Evaluator } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import type { PreparedLinearTransform } from '../../port/linear-transform.ts'
import type { Scale } from '../../port/quantities.ts'
import { doubledParts, doubledRealPart, joinParts } from '../complex-parts.ts'
import { prepareLinearTransform } from '../linear-transform/index.ts'
import { Scope, scope } from '../scope.ts'
import { toLevel } from '../to-level.ts'
import type { BootstrappingCircuit } from './bootstrapping-circuit.ts'
import { ANGLE_BOUND, ANGLE_SHIFT, createEvalMod, type EvalMod, evaluateEvalMod } from './eval-mod.ts'
import { factorMatrix, fourierFactors } from './fourier-factors.ts'

export interface PrepareBootstrappingOptions {
  /** Ranges of values that will be bootstrapped: |real part| and |imaginary part| at most this. Default [1]. */
  readonly ranges?: readonly number[]
  readonly signal?: AbortSignal
  /** After each encoded matrix. */
  readonly onProgress?: (done: number, total: number) => void
}

export interface BootstrapOptions {
  /** One of the ranges it was prepared for. Default 1. */
  readonly range?: number
}

/** What differs between ranges: the first matrix and evalMod. */
interface RangeParts {
  readonly first: PreparedLinearTransform
  readonly evalMod: EvalMod
}

interface Parts {
  readonly slotsToCoeffs: readonly PreparedLinearTransform[]
  readonly coeffsToSlots: readonly PreparedLinearTransform[]
  readonly ranges: ReadonlyMap<number, RangeParts>
}

/** Encodes the matrices of a circuit. */
export async function prepareBootstrapping(
  circuit: BootstrappingCircuit,
  engine: Encoder & Evaluator,
  options: PrepareBootstrappingOptions,
): Promise<PreparedBootstrapping> {
  const { ranges = [1], signal, onProgress } = options
  const { spec } = circuit
  for (const range of ranges)
    if (!(Number.isFinite(range) && range > 0))
      throw new InvalidArgumentError(`bootstrapping: a range must be a positive number, got ${range}`)
  const logSlots = Math.log2(spec.slots)
  const total = spec.slotsToCoeffs + spec.coeffsToSlots + ranges.length - 1
  const made = new Scope()
  let done = 0
  const progress = <T extends Disposable>(transform: T): T => {
    onProgress?.(++done, total)
    return made.use(transform)
  }
  const encode = async (chain: TransformChain, index: number, factor = 1) =>
    progress(
      await prepareLinearTransform(
        engine,
        factorMatrix(chain.factors[index]!, logSlots, chain.constants[index]! * factor),
        {
          level: chain.top - index,
          scale: chain.scales[index]!,
          ...(signal ? { signal } : {}),
        },
      ),
    )
  try {
    const down = transformChain(circuit, 'slotsToCoeffs')
    const up = transformChain(circuit, 'coeffsToSlots')
    const slotsToCoeffs: PreparedLinearTransform[] = []
    for (let i = 1; i < spec.slotsToCoeffs; i++) slotsToCoeffs.push(await encode(down, i))
    const rangeParts = new Map<number, RangeParts>()
    for (const range of new Set(ranges))
      rangeParts.set(range, { first: await encode(down, 0, 1 / range), evalMod: createEvalMod(spec, range) })
    const coeffsToSlots: PreparedLinearTransform[] = []
    for (let i = 0; i < spec.coeffsToSlots; i++) coeffsToSlots.push(await encode(up, i))
    return new PreparedBootstrapping(circuit, { slotsToCoeffs, coeffsToSlots, ranges: rangeParts }, made)
  } catch (error) {
    made.dispose()
    throw error
  }
}

/** The matrices of one direction: what they are multiplied by and the scales their diagonals are encoded at. */
interface TransformChain {
  readonly factors: ReturnType<typeof fourierFactors>
  readonly top: number
  readonly constants: readonly number[]
  readonly scales: readonly Scale[]
}

/** Scale of the message between slotsToCoeffs and modRaise. */
export function messageScale({ parameters, spec }: BootstrappingCircuit): Scale {
  return parameters.groupProduct(0) / 2 ** spec.logMessageRatio
}

/**
 * Ciphertexts keep the nominal scale of each level between matrices, so the diagonals' scales follow; the constant of the
 * whole chain is spread so that all diagonals are equally large integers, none of them rounded more coarsely than the others.
 */
function transformChain(circuit: BootstrappingCircuit, direction: 'slotsToCoeffs' | 'coeffsToSlots'): TransformChain {
  const { parameters, spec, inputLevel } = circuit
  const up = direction === 'coeffsToSlots'
  const count = spec[direction]
  const factors = fourierFactors(Math.log2(spec.slots), count, up)
  const top = up ? parameters.maxLevel : inputLevel
  const low = messageScale(circuit)
  const scaleIn = up ? low : parameters.scaleAt(inputLevel)
  const scaleOut = up ? parameters.scaleAt(top - count) : low
  const scaleAfter = (i: number) => (i === count - 1 ? scaleOut : parameters.scaleAt(top - i - 1))
  const scales = factors.map(
    (_, i) => (parameters.groupProduct(top - i) * scaleAfter(i)) / (i === 0 ? scaleIn : scaleAfter(i - 1)),
  )
  // from coefficients over low to y / ANGLE_BOUND; doubledParts doubles, trace multiplies by the number of copies
  const copies = parameters.maxSlots / spec.slots
  const constant = up ? low / (2 * parameters.groupProduct(0) * ANGLE_BOUND * copies) : 1
  const sizes = factors.map(({ from, to, inverse }) => (inverse ? 2 ** (from - to - 1) : 1))
  const integers = scales.map((scale, i) => scale * sizes[i]!)
  const mean = (constant * integers.reduce((a, b) => a * b, 1)) ** (1 / count)
  return { factors, top, scales, constants: integers.map((size) => mean / size) }
}

/** A circuit with its matrices encoded; belongs to the engine that encoded them. */
export class PreparedBootstrapping implements Disposable {
  readonly circuit: BootstrappingCircuit
  readonly #parts: Parts
  readonly #weights: Scope

  /** @internal use `Bootstrapping.prepare` */
  constructor(circuit: BootstrappingCircuit, parts: Parts, weights: Scope) {
    this.circuit = circuit
    this.#parts = parts
    this.#weights = weights
  }

  /**
   * Refreshes a ciphertext: `outputLevel`, nominal scale, the same values up to the circuit's precision (relative to the
   * range). With real content the imaginary parts are lost. The input is only read.
   *
   * @throws LevelError below `inputLevel`; MissingKeyError; InvalidArgumentError for a longer period or an unknown range
   */
  bootstrap(engine: Evaluator, a: Ciphertext, options: BootstrapOptions = {}): Ciphertext {
    const { evalMod } = this.#range(options)
    const message = relativeSize([engine.estimate?.(a)?.magnitude], options)
    return scope((use) => {
      const raised = use(this.#raise(engine, a, options))
      if (this.circuit.spec.content === 'real')
        return evaluateEvalMod(engine, use(shifted(engine, use(doubledRealPart(engine, raised)))), evalMod, message)
      const [real, imaginary] = this.#halves(engine, raised, evalMod, message)
      return joinParts(engine, use(real), use(imaginary))
    })
  }

  /**
   * Refreshes two ciphertexts of real values for the price of one: they travel as one complex ciphertext.
   * @throws as `bootstrap`, and InvalidArgumentError for real content
   */
  bootstrapPair(
    engine: Evaluator,
    a: Ciphertext,
    b: Ciphertext,
    options: BootstrapOptions = {},
  ): [Ciphertext, Ciphertext] {
    if (this.circuit.spec.content === 'real')
      throw new InvalidArgumentError('bootstrapPair: the circuit was made for real content: use content complex')
    const { evalMod } = this.#range(options)
    const message = relativeSize(
      [a, b].map((x) => engine.estimate?.(x)?.magnitude),
      options,
    )
    return scope((use) => {
      const { inputLevel } = this.circuit
      const joined = use(joinParts(engine, use(toLevel(engine, a, inputLevel)), use(toLevel(engine, b, inputLevel))))
      return this.#halves(engine, use(this.#raise(engine, joined, options)), evalMod, message)
    })
  }

  /** Gives the matrices back. */
  dispose(): void {
    this.#weights.dispose()
  }
  [Symbol.dispose](): void {
    this.dispose()
  }

  #range({ range = 1 }: BootstrapOptions): RangeParts {
    const parts = this.#parts.ranges.get(range)
    if (!parts)
      throw new InvalidArgumentError(
        `bootstrapping: prepared for the ranges ${[...this.#parts.ranges.keys()].join(', ')}, got ${range}`,
      )
    return parts
  }

  /** slotsToCoeffs, modRaise, coeffsToSlots: half of y + 1/4, over ANGLE_BOUND, in complex slots. */
  #raise(engine: Evaluator, a: Ciphertext, options: BootstrapOptions): Ciphertext {
    const { circuit } = this
    const { slots } = circuit.spec
    if (a.slots > slots)
      throw new InvalidArgumentError(`bootstrapping: made for ${slots} slots, got a ciphertext of period ${a.slots}`)
    return scope((use) => {
      let current = use(toLevel(engine, a, circuit.inputLevel))
      for (const transform of [this.#range(options).first, ...this.#parts.slotsToCoeffs])
        current = use(engine.rescale(use(engine.linearTransform(current, transform))))
      current = use(engine.modRaise(current, circuit.parameters.maxLevel))
      if (slots < current.slots) current = use(engine.trace(current, slots))
      for (const transform of this.#parts.coeffsToSlots)
        current = use(engine.rescale(use(engine.linearTransform(current, transform))))
      engine.declareMagnitude?.(current, RAISED_MAGNITUDE / Math.SQRT2)
      return current
    })
  }

  #halves(engine: Evaluator, raised: Ciphertext, evalMod: EvalMod, message?: number): [Ciphertext, Ciphertext] {
    return scope((use) => {
      const parts = doubledParts(engine, raised)
      return [use(parts.real), use(parts.imaginary)].map((part) =>
        use(evaluateEvalMod(engine, use(shifted(engine, part)), evalMod, message)),
      ) as [Ciphertext, Ciphertext]
    })
  }
}

/** The largest estimated size in units of the range; undefined on engines that do not estimate. */
function relativeSize(
  magnitudes: readonly (number | undefined)[],
  { range = 1 }: BootstrapOptions,
): number | undefined {
  const known = magnitudes.filter((m) => m !== undefined)
  return known.length === 0 ? undefined : Math.max(...known) / range
}

/** Root mean square of a real part after coeffsToSlots: sums of 1 + weight uniform numbers, over ANGLE_BOUND. */
const RAISED_MAGNITUDE = Math.sqrt((1 + EPHEMERAL_WEIGHT) / 12) / ANGLE_BOUND

/** y = x - 1/4, in units of ANGLE_BOUND. */
function shifted(engine: Evaluator, part: Ciphertext): Ciphertext {
  const result = engine.addScalar(part, -ANGLE_SHIFT / ANGLE_BOUND)
  engine.declareMagnitude?.(result, RAISED_MAGNITUDE)
  return result
}
