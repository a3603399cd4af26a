/** An approximation read back from plain data, whoever wrote them: what follows from the coefficients is not taken from there. */
import { FormatError } from '@he-ml/ckks-core'
import type { ActivationPolynomial, ApproximationMethod } from './activation-polynomial.ts'
import { type ChebyshevSeries, type Range, seriesDegree, seriesDepth } from './chebyshev.ts'

const METHODS: readonly ApproximationMethod[] = ['chebyshev', 'remez', 'least-squares', 'composite']
const MOST_COEFFICIENTS = 1024
const MOST_FACTORS = 16

/**
 * The reverse of `JSON.stringify` for an approximation.
 *
 * @param where named in errors
 * @throws FormatError for what is no approximation: wrong kinds, numbers that are not finite, a range without length, factors of
 *   another range than [-1, 1], a degree or depth that is not that of the coefficients
 * @example
 * ```ts
 * import { approximate, parsePolynomial } from '@he-ml/activations'
 * const relu = approximate('relu', { range: [-4, 4], degree: 7 })
 * console.log(parsePolynomial(JSON.parse(JSON.stringify(relu)), 'relu1').depth) // 3
 * ```
 */
export function parsePolynomial(data: unknown, where: string): ActivationPolynomial {
  const fields = new Fields(data, where)
  const common = {
    function: fields.text('function'),
    method: fields.oneOf('method', METHODS),
    range: fields.range('range'),
    certifiedError: fields.number('certifiedError', (x) => x >= 0, 'not negative'),
  }
  if (fields.oneOf('kind', ['series', 'composite']) === 'series') {
    const series = fields.series('series')
    if (series.range[0] !== common.range[0] || series.range[1] !== common.range[1])
      throw fields.wrong('series.range', 'that of the polynomial')
    const degree = fields.exactly('degree', seriesDegree(series))
    return { ...common, kind: 'series', degree, depth: fields.exactly('depth', seriesDepth(degree)), series }
  }
  const factors = fields.list('factors', MOST_FACTORS).map((_, i) => fields.series('factors', i))
  const degrees = factors.map(seriesDegree)
  if (factors.some(({ range: [lo, hi] }) => lo !== -1 || hi !== 1)) throw fields.wrong('factors', 'on [-1, 1]')
  if (common.range[0] !== -common.range[1]) throw fields.wrong('range', 'symmetric')
  if (JSON.stringify(fields.list('degrees', MOST_FACTORS)) !== JSON.stringify(degrees))
    throw fields.wrong('degrees', `[${degrees}]`)
  const name = fields.oneOf('function', ['sign', 'relu'])
  const product = degrees.reduce((a, b) => a * b, 1)
  const levels = degrees.reduce((sum, degree) => sum + seriesDepth(degree), 0)
  return {
    ...common,
    kind: 'composite',
    function: name,
    degree: fields.exactly('degree', name === 'relu' ? product + 1 : product),
    depth: fields.exactly('depth', name === 'relu' ? levels + 1 : levels),
    degrees,
    gap: fields.number('gap', (x) => x >= 0, 'not negative'),
    factors,
  }
}

/** Fields of plain data, each checked as it is read. */
class Fields {
  readonly #data: Readonly<Record<string, unknown>>
  readonly #where: string

  constructor(data: unknown, where: string) {
    if (typeof data !== 'object' || data === null || Array.isArray(data))
      throw new FormatError(`${where}: expected a polynomial, got ${JSON.stringify(data)?.slice(0, 40)}`)
    this.#data = data as Readonly<Record<string, unknown>>
    this.#where = where
  }

  wrong(field: string, wanted: string): FormatError {
    return new FormatError(`${this.#where}: polynomial, field "${field}": expected ${wanted}`)
  }
  text(field: string): string {
    const value = this.#data[field]
    if (typeof value !== 'string') throw this.wrong(field, 'a text')
    return value
  }
  oneOf<T extends string>(field: string, values: readonly T[]): T {
    const value = values.find((v) => v === this.#data[field])
    if (value === undefined) throw this.wrong(field, `one of ${values.join(', ')}`)
    return value
  }
  number(field: string, holds: (x: number) => boolean, wanted: string): number {
    const value = this.#data[field]
    if (!isFiniteNumber(value) || !holds(value)) throw this.wrong(field, `a number, ${wanted}`)
    return value
  }
  exactly(field: string, value: number): number {
    return this.number(field, (x) => x === value, `${value}`)
  }
  range(field: string, data: unknown = this.#data[field]): Range {
    const [lo, hi] = Array.isArray(data) && data.length === 2 ? (data as readonly unknown[]) : []
    if (!isFiniteNumber(lo) || !isFiniteNumber(hi) || !(lo < hi)) throw this.wrong(field, 'two ascending numbers')
    return [lo, hi]
  }
  list(field: string, most: number): readonly unknown[] {
    const value = this.#data[field]
    if (!Array.isArray(value) || value.length === 0 || value.length > most)
      throw this.wrong(field, `a list of at most ${most}`)
    return value
  }
  series(field: string, index?: number): ChebyshevSeries {
    const value = this.#data[field]
    const data: unknown = index === undefined ? value : (value as readonly unknown[])[index]
    const { coefficients, range } = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>
    const isList = Array.isArray(coefficients) && coefficients.length >= 1 && coefficients.length <= MOST_COEFFICIENTS
    if (!isList || !coefficients.every(isFiniteNumber)) throw this.wrong(field, 'finite coefficients')
    return { coefficients: [...coefficients], range: this.range(`${field}.range`, range) }
  }
}

const isFiniteNumber = (x: unknown): x is number => typeof x === 'number' && Number.isFinite(x)
