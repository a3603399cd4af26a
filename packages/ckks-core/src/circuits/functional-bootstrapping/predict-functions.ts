/**
 * Errors of functions, and how sure the decisions are that they make. The circuit is recorded on a noise tape at values as they
 * occur, each with multiples of q0 as they occur: what an error of the raised value does to the angle of E, and to each
 * result.
 */
import { GaussianSource } from '../../engines/noise/gaussian.ts'
import { TapeEngine } from '../../engines/noise/tape-engine.ts'
import { EPHEMERAL_WEIGHT, RAISE_BOUND } from '../../parameters/ephemeral.ts'
import type { AnyParameters } from '../../parameters/parameters.ts'
import type { Evaluator } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import type { Complex } from '../polynomial/index.ts'
import { type FunctionalWork, functionsOfAngle } from './evaluate-functions.ts'
import { evaluateExponential } from './exponential.ts'
import { GridFunction } from './grid-function.ts'
import type { PeriodicFunction } from './periodic-function.ts'

/** A value that occurs. */
export interface ObservedPoint {
  /** In periods. */
  readonly x: number
  /** How often, in any unit; default 1. */
  readonly weight?: number
}

/** How far from a wrong decision a refresh is. */
export interface FunctionalEstimate {
  /** Standard deviation of the angle of E, in periods: what the values brought along, and what was added until there. */
  readonly deviation: number
  /** The same of the length of E, along the circle. */
  readonly lengthened: number
  /** Half a step of the finest grid, less what the series of the exponential is off, in these deviations; absent without a grid. */
  readonly margin?: number
}

/** A value with a multiple of q0, and how often it occurs. */
interface Sample {
  readonly x: number
  /** Of all samples. */
  readonly share: number
  /** E, as the series of the exponential has it. */
  readonly angle: Complex
}

/** What the noise tape says of one kind of input. */
interface Response {
  readonly samples: readonly Sample[]
  /** Of E: by what errors of t are multiplied, and what is added. */
  readonly gain: number
  readonly added: number
  /** Of each result: what is added after E. */
  readonly results: readonly { readonly added: number; readonly magnitude: number }[]
}

interface Memory {
  readonly key: string
  readonly functions: readonly PeriodicFunction[]
  readonly points: readonly ObservedPoint[]
  readonly parameters: AnyParameters
  readonly response: Response
}

/** The last response by its first function. */
const memories = new WeakMap<PeriodicFunction, Memory>()

/** Where functions have a grid, its points; otherwise all of the period alike. */
export function pointsOf(functions: readonly PeriodicFunction[]): readonly ObservedPoint[] {
  const grid = functions.find((f) => f instanceof GridFunction)
  if (!grid) return WHOLE_PERIOD
  let points = pointsByGrid.get(grid)
  if (!points) {
    points = grid.values.map(({ index, weight = 1 }) => ({ x: index / grid.points, weight }))
    pointsByGrid.set(grid, points)
  }
  return points
}

const pointsByGrid = new WeakMap<GridFunction, readonly ObservedPoint[]>()

/** Points of the period where nothing is known of the values. */
const WHOLE_PERIOD: readonly ObservedPoint[] = Array.from({ length: 64 }, (_, i) => ({ x: (i + 0.5) / 64 - 0.5 }))

/** Samples at least, spread over the points. */
const SAMPLES = 320

/** Tells an engine that estimates errors what they are. @returns undefined on others */
export function predictFunctions(
  engine: Evaluator,
  t: Ciphertext,
  results: readonly Ciphertext[],
  work: FunctionalWork,
  points: readonly ObservedPoint[],
): FunctionalEstimate | undefined {
  const estimate = engine.estimate?.(t)
  if (!estimate) return undefined
  const response = remembered(engine.parameters, t, work, points)
  // of a complex error half the variance turns E, the other half changes its length
  const half = response.added / Math.SQRT2
  const turned = Math.hypot(response.gain * estimate.error, half)
  for (const [i, result] of results.entries()) {
    const { added, magnitude } = response.results[i]!
    engine.declareMagnitude?.(result, magnitude)
    const off = spread(work.functions[i]!, response.samples, turned, half)
    engine.declareError?.(result, Math.hypot(off.all, added), Math.hypot(off.varying, added))
  }
  const [deviation, lengthened] = [turned, half].map((radians) => radians / (2 * Math.PI)) as [number, number]
  const grids = work.functions.filter((f) => f instanceof GridFunction)
  if (grids.length === 0) return { deviation, lengthened }
  const step = 1 / Math.max(...grids.map((f) => f.points))
  return { deviation, lengthened, margin: Math.max(0, step / 2 - work.exponential.error / (2 * Math.PI)) / deviation }
}

function remembered(
  parameters: AnyParameters,
  t: Ciphertext,
  work: FunctionalWork,
  points: readonly ObservedPoint[],
): Response {
  const [first] = work.functions
  const key = [t.level, t.scale, work.outputLevel, work.exponential.series.degree, work.exponential.squarings].join()
  const known = memories.get(first!)
  const same =
    known?.key === key &&
    known.parameters === parameters &&
    known.points === points &&
    known.functions.length === work.functions.length &&
    known.functions.every((f, i) => f === work.functions[i])
  if (same) return known.response
  const response = record(parameters, t, work, points)
  memories.set(first!, { key, functions: [...work.functions], points, parameters, response })
  return response
}

function record(
  parameters: AnyParameters,
  { level, scale }: Ciphertext,
  work: FunctionalWork,
  points: readonly ObservedPoint[],
): Response {
  const source = new GaussianSource(1)
  const deviation = Math.sqrt((1 + EPHEMERAL_WEIGHT) / 12)
  const each = Math.ceil(SAMPLES / points.length)
  const drawn = points.flatMap(({ x, weight = 1 }) =>
    Array.from({ length: each }, () => ({ x, weight, t: (x + Math.round(deviation * source.next())) / RAISE_BOUND })),
  )
  const weights = Float64Array.from(drawn, ({ weight }) => weight)
  const total = weights.reduce((a, b) => a + b, 0)
  const before = new TapeEngine(parameters, drawn.length, weights)
  const input = before.input(
    Float64Array.from(drawn, ({ t }) => t),
    { level, scale },
  )
  const angle = evaluateExponential(before, input, work.exponential)
  const { re, im } = before.values(angle)
  const after = new TapeEngine(parameters, drawn.length, weights)
  const exact = after.input({ re, im: im! }, { level: angle.level, scale: angle.scale })
  return {
    samples: drawn.map(({ x, weight }, i) => ({ x, share: weight / total, angle: { re: re[i]!, im: im![i]! } })),
    gain: before.gain(angle, input, 'real'),
    added: before.error(angle),
    results: functionsOfAngle(after, exact, work).map((result) => ({
      added: after.error(result),
      magnitude: after.magnitude(result),
    })),
  }
}

/**
 * Root mean squares by which a function is off, the exponential's series included, when E is turned and lengthened by normal errors of
 * these deviations: all together, and what another E of the same value would change. What is cleaned is wrong by the square of an error, so
 * this is tried out rather than derived.
 */
function spread(
  f: PeriodicFunction,
  samples: readonly Sample[],
  turned: number,
  lengthened: number,
): { readonly all: number; readonly varying: number } {
  const source = new GaussianSource(2)
  let [square, variance] = [0, 0]
  for (const { x, share, angle } of samples) {
    const wanted = f.wantedAt(x)
    let [sum, squares] = [0, 0]
    for (let i = 0; i < TRIES; i++) {
      const factor = { re: 1 + lengthened * source.next(), im: turned * source.next() }
      const off = f.atAngle({
        re: angle.re * factor.re - angle.im * factor.im,
        im: angle.re * factor.im + angle.im * factor.re,
      })
      sum += off - wanted
      squares += (off - wanted) ** 2
    }
    square += (share * squares) / TRIES
    variance += (share * Math.max(0, squares - sum ** 2 / TRIES)) / (TRIES - 1)
  }
  return { all: Math.sqrt(square), varying: Math.sqrt(variance) }
}

/** Of each sample. */
const TRIES = 4
