/** The errors of ReLU polynomials over |x|, both axes logarithmic, as an SVG that needs nothing else. */
import { type ActivationPolynomial, forwardPolynomial } from '@he-ml/activations'
import type { ReluErrors } from './relu-survey.ts'

export interface Curve {
  readonly label: string
  readonly polynomial: ActivationPolynomial
}

const WIDTH = 760
const HEIGHT = 420
const EDGE = { left: 60, right: 20, top: 40, bottom: 50 }
/** Powers of two at the ends of the axes. */
const X = [-16, 0] as const
const Y = [-20, -5] as const
const COLOURS = ['#1b6ca8', '#c8553d', '#4f8a4c']

const place = (value: number, [lo, hi]: readonly [number, number]) => (value - lo) / (hi - lo)
const across = (power: number) => EDGE.left + place(power, X) * (WIDTH - EDGE.left - EDGE.right)
const down = (power: number) => EDGE.top + (1 - place(power, Y)) * (HEIGHT - EDGE.top - EDGE.bottom)
const point = (x: number, y: number) => `${across(x).toFixed(1)},${down(Math.max(Y[0], Math.min(Y[1], y))).toFixed(1)}`

export function plotReluErrors(curves: readonly Curve[], target: ReluErrors): string {
  const gap = Math.log2(target.gap)
  const wanted = [
    point(X[0], Math.log2(target.error)),
    point(gap, Math.log2(target.error)),
    point(gap, Math.log2(target.gapError)),
    point(X[1], Math.log2(target.gapError)),
  ]
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...axes(),
    `<polyline points="${wanted.join(' ')}" fill="none" stroke="#222" stroke-width="1.5" stroke-dasharray="6 4"/>`,
    ...curves.map((curve, i) => `<polyline points="${errorPoints(curve)}" fill="none" stroke="${COLOURS[i]}"/>`),
    ...[...curves.map((c) => c.label), 'wanted'].map((label, i) => {
      const colour = COLOURS[i] ?? '#222'
      return `<text x="${EDGE.left + 205 * i}" y="22" fill="${i < curves.length ? colour : '#222'}">${label}</text>`
    }),
    '</svg>',
  ]
  return `${lines.join('\n')}\n`
}

/** The larger of the errors at x and at -x; they differ by rounding only. */
function errorPoints({ polynomial }: Curve): string {
  const points: string[] = []
  for (let i = 0; i <= 1600; i++) {
    const power = X[0] + ((X[1] - X[0]) * i) / 1600
    const x = 2 ** power
    const error = Math.max(Math.abs(x - forwardPolynomial(polynomial, x)), Math.abs(forwardPolynomial(polynomial, -x)))
    points.push(point(power, Math.log2(error)))
  }
  return points.join(' ')
}

function axes(): string[] {
  const lines: string[] = []
  const bottom = HEIGHT - EDGE.bottom
  for (let power = X[0]; power <= X[1]; power += 2) {
    lines.push(`<line x1="${across(power)}" x2="${across(power)}" y1="${EDGE.top}" y2="${bottom}" stroke="#eee"/>`)
    lines.push(`<text x="${across(power)}" y="${bottom + 18}" text-anchor="middle">2^${power}</text>`)
  }
  for (let power = Y[0]; power <= Y[1]; power++) {
    lines.push(
      `<line x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${down(power)}" y2="${down(power)}" stroke="#eee"/>`,
    )
    if (power % 5 === 0)
      lines.push(`<text x="${EDGE.left - 8}" y="${down(power) + 4}" text-anchor="end">2^${power}</text>`)
  }
  lines.push(`<text x="${(WIDTH + EDGE.left) / 2}" y="${HEIGHT - 10}" text-anchor="middle">|x|</text>`)
  lines.push(`<text x="14" y="${EDGE.top - 18}">|error|</text>`)
  return lines
}
