import type { GradientWindow } from '@he-ml/snn-neurons'
import { ORANGE, SERIES } from './colours.ts'
import { drawSvg, type Heading } from './draw-svg.ts'

/** A neuron's window, as gradientWindow gives it. */
export interface NamedWindow {
  readonly name: string
  readonly threshold: number
  readonly window: GradientWindow
}

export interface GradientWindowsPicture extends Heading {
  readonly windows: readonly NamedWindow[]
  /** Half-widths, in thresholds, of rectangles of area 1 to show beside them; default 0.5, 1 and 2. */
  readonly handWidths?: readonly number[]
}

const DERIVED = 'derived'
/** Shown around the membrane's mean, in deviations. */
const REACH = 3.5

/** A panel for each neuron: where its membrane is (grey), its derived surrogate gradient, and hand-set ones. */
export function drawGradientWindows({ windows, handWidths = [0.5, 1, 2], ...heading }: GradientWindowsPicture) {
  const names = [...handWidths.map((width) => `hand-set, half-width ${width}`), DERIVED]
  const others = SERIES.filter((colour) => colour !== ORANGE)
  const colour = {
    field: 'window',
    type: 'nominal',
    sort: null,
    scale: { domain: names, range: names.map((name, i) => (name === DERIVED ? ORANGE : others[i % others.length])) },
    legend: { title: null, symbolType: 'stroke', symbolStrokeWidth: 2 },
  }
  const tallest = Math.max(
    ...windows.flatMap(({ window, threshold }) => [
      heightOf(window),
      ...window.membrane.density,
      ...handWidths.map((width) => 1 / (2 * width * threshold)),
    ]),
  )
  const hconcat = windows.map((named) => panel(named, handWidths, { colour, top: 1.18 * tallest }))
  return drawSvg({ ...heading, views: { hconcat } })
}

const heightOf = ({ surrogate: { width, height } }: GradientWindow) => height ?? 1 / (2 * width)

interface PanelStyle {
  readonly colour: object
  /** Upper end of the axis, the same for all panels. */
  readonly top: number
}

function panel(
  { name, threshold, window }: NamedWindow,
  handWidths: readonly number[],
  { colour, top }: PanelStyle,
): object {
  const { density, start, cell, mean, deviation } = window.membrane
  const domain = [
    Math.min(mean - REACH * deviation, threshold - 2.2 * threshold),
    Math.max(mean + REACH * deviation, threshold + 2.2 * threshold),
  ]
  const curve = [...density]
    .map((p, i) => ({ u: start + (i + 0.5) * cell, p }))
    .filter(({ u }) => u >= domain[0]! && u <= domain[1]!)
  const box = (label: string, width: number, height: number) =>
    [
      [threshold - width, 0],
      [threshold - width, height],
      [threshold + width, height],
      [threshold + width, 0],
    ].map(([u, g], order) => ({ u, g, order, window: label }))
  const boxes = [
    ...handWidths.flatMap((part) => {
      const width = part * threshold
      return box(`hand-set, half-width ${part}`, width, 1 / (2 * width))
    }),
    ...box(DERIVED, window.surrogate.width, heightOf(window)),
  ]
  const x = {
    field: 'u',
    type: 'quantitative',
    title: 'membrane potential before the reset',
    scale: { domain, nice: false },
  }
  const scale = { domain: [0, top], nice: false }
  const y = (field: string) => ({ field, type: 'quantitative', title: 'density (grey), gradient', scale })
  return {
    width: 320,
    height: 220,
    title: { text: name, fontSize: 12, fontWeight: 'normal', anchor: 'middle' },
    layer: [
      { data: { values: curve }, mark: { type: 'area', color: '#ddd', clip: true }, encoding: { x, y: y('p') } },
      {
        data: { values: boxes },
        mark: { type: 'line' },
        encoding: {
          x,
          y: y('g'),
          order: { field: 'order', type: 'quantitative' },
          color: colour,
          strokeWidth: { condition: { test: `datum.window === '${DERIVED}'`, value: 2.5 }, value: 1.5 },
        },
      },
      {
        data: { values: [{ u: threshold }] },
        mark: { type: 'rule', strokeDash: [4, 3], color: '#666' },
        encoding: { x },
      },
      {
        data: { values: [{ u: threshold, p: top, text: 'threshold' }] },
        mark: { type: 'text', align: 'left', baseline: 'top', dx: 4, dy: 3, color: '#666' },
        encoding: { x, y: y('p'), text: { field: 'text' } },
      },
    ],
  }
}
