/**
 * Hand-written-like digits in MNIST's form: 28 x 28 pixels in [0, 1], the figure fitted into 20 x 20 and centred by mass.
 * Strokes are jittered, slanted, stretched, drawn with a round pen by distance, and softened: digits that the project can
 * ship, unlike MNIST's own.
 */
import { normal, seededRandom } from './random.ts'
import { HABITS, type Point, type Stroke } from './strokes.ts'

export const DIGIT_SIZE = 28
const FIGURE = 20

export interface Digit {
  readonly label: number
  /** Row-major pixels in [0, 1]. */
  readonly pixels: Float64Array
}

/** One digit of class `label` (0 to 9), a function of the seed alone. */
export function drawDigit(label: number, seed: number): Digit {
  const random = seededRandom(seed * 7919 + label * 104729 + 1)
  const habits = HABITS[label]
  if (habits === undefined) throw new RangeError(`a digit is from 0 to 9, got ${label}`)
  const habit = habits[Math.floor(random() * habits.length)]!
  const slant = 0.12 * normal(random)
  const turn = 0.06 * normal(random)
  const width = Math.exp(0.1 * normal(random)) * 0.82
  const jitter = 0.018
  const place = ([x, y]: Point): Point => {
    const u = (x - 0.5) * width + jitter * normal(random)
    const v = y - 0.5 + jitter * normal(random)
    const s = u - slant * v
    return [s * Math.cos(turn) - v * Math.sin(turn), s * Math.sin(turn) + v * Math.cos(turn)]
  }
  const strokes = habit.map((stroke) => smooth(stroke.map(place)))
  return { label, pixels: centreByMass(render(fit(strokes), 0.95 + 0.55 * random())) }
}

/** `count` digits, classes shuffled evenly, from one seed. */
export function drawDigits(count: number, seed: number): Digit[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, i) => drawDigit((i + Math.floor(random() * 10)) % 10, seed * 1000 + i))
}

/** Catmull-Rom curve through the points as a fine polyline. */
function smooth(points: readonly Point[]): Point[] {
  if (points.length < 3) return [...points]
  const out: Point[] = []
  for (let i = 0; i + 1 < points.length; i++) {
    const [p0, p1, p2, p3] = [
      points[Math.max(0, i - 1)]!,
      points[i]!,
      points[i + 1]!,
      points[Math.min(points.length - 1, i + 2)]!,
    ]
    for (let k = 0; k < 6; k++) {
      const t = k / 6
      const blend = (a: number, b: number, c: number, d: number) =>
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t ** 3)
      out.push([blend(p0[0], p1[0], p2[0], p3[0]), blend(p0[1], p1[1], p2[1], p3[1])])
    }
  }
  out.push(points[points.length - 1]!)
  return out
}

/** Scales the figure so that its larger side fills the 20 x 20 box of MNIST, centred in 28 x 28. */
function fit(strokes: readonly Stroke[]): Point[][] {
  const all = strokes.flat()
  const xs = all.map((p) => p[0])
  const ys = all.map((p) => p[1])
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  const scale = (FIGURE - 2) / Math.max(right - left, bottom - top)
  const middle = DIGIT_SIZE / 2
  return strokes.map((s) =>
    s.map(([x, y]) => [middle + (x - (left + right) / 2) * scale, middle + (y - (top + bottom) / 2) * scale]),
  )
}

/** A round pen of the given radius: full ink within it, falling off over one pixel. */
function render(strokes: readonly Stroke[], radius: number): Float64Array {
  const pixels = new Float64Array(DIGIT_SIZE * DIGIT_SIZE)
  for (let row = 0; row < DIGIT_SIZE; row++)
    for (let column = 0; column < DIGIT_SIZE; column++) {
      let nearest = Infinity
      for (const stroke of strokes)
        for (let i = 0; i + 1 < stroke.length; i++)
          nearest = Math.min(nearest, distance(column + 0.5, row + 0.5, stroke[i]!, stroke[i + 1]!))
      pixels[row * DIGIT_SIZE + column] = Math.min(1, Math.max(0, (radius + 0.9 - nearest) / 1.1))
    }
  return pixels
}

function distance(x: number, y: number, [ax, ay]: Point, [bx, by]: Point): number {
  const length = (bx - ax) ** 2 + (by - ay) ** 2
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length))
  return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay))
}

/** Shifts by whole pixels so that the centre of mass is the centre of the image. */
function centreByMass(pixels: Float64Array): Float64Array {
  let mass = 0
  let mx = 0
  let my = 0
  pixels.forEach((value, i) => {
    mass += value
    mx += value * ((i % DIGIT_SIZE) + 0.5)
    my += value * (Math.floor(i / DIGIT_SIZE) + 0.5)
  })
  const dx = Math.round(DIGIT_SIZE / 2 - mx / mass)
  const dy = Math.round(DIGIT_SIZE / 2 - my / mass)
  const out = new Float64Array(pixels.length)
  for (let row = 0; row < DIGIT_SIZE; row++)
    for (let column = 0; column < DIGIT_SIZE; column++) {
      const [r, c] = [row - dy, column - dx]
      if (r >= 0 && r < DIGIT_SIZE && c >= 0 && c < DIGIT_SIZE)
        out[row * DIGIT_SIZE + column] = pixels[r * DIGIT_SIZE + c]!
    }
  return out
}
