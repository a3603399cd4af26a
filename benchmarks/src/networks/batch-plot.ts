/** What an image costs and what a server holds, over the size of the batch: measured beside planned, as an SVG that needs nothing else. */
import type { Row } from '../rows.ts'

const WIDTH = 900
const HEIGHT = 380
const EDGE = { left: 70, right: 20, top: 56, bottom: 50, between: 80 }
/** Of a network in the legend: four beside each other. */
const LABEL_WIDTH = 205
const COLOURS = ['#1b6ca8', '#c8553d', '#4f8a4c', '#7b5ea7']

/** One line of a panel. */
interface Curve {
  readonly label: string
  /** By batch, ascending. */
  readonly measured: readonly Point[]
  readonly planned: readonly Point[]
}

type Point = readonly [batch: number, value: number]

interface Panel {
  readonly title: string
  readonly curves: readonly Curve[]
  readonly left: number
  readonly width: number
}

/** @param rows of the benchmarks resnet20 and resnet34, of any number of runs; of rows alike the last counts */
export function plotBatches(rows: readonly Row[]): string {
  const width = (WIDTH - EDGE.left - EDGE.right - EDGE.between) / 2
  const seconds: Panel = {
    title: 'seconds an image',
    curves: curvesOf(rows, 'amortised', ({ metric, value, params }) =>
      metric === 'latency-planned' ? value / Number(params.batch) : undefined,
    ),
    left: EDGE.left,
    width,
  }
  const memory: Panel = {
    title: "GB, the server's peak",
    curves: curvesOf(rows, 'peak-rss', ({ metric, value }) => (metric === 'peak-planned' ? value : undefined)),
    left: EDGE.left + width + EDGE.between,
    width,
  }
  const labels = [...new Set([...seconds.curves, ...memory.curves].map(({ label }) => label))]
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...labels.map(
      (label, i) =>
        `<text x="${EDGE.left + LABEL_WIDTH * i}" y="20" fill="${COLOURS[i % COLOURS.length]}">${label}</text>`,
    ),
    `<text x="${WIDTH / 2}" y="${HEIGHT - 8}" fill="#222" text-anchor="middle">dots measured, dashes planned</text>`,
    ...[seconds, memory].flatMap((panel) => draw(panel, labels)),
    '</svg>',
  ].join('\n')}\n`
}

/** Networks and threads, each a curve. */
function curvesOf(rows: readonly Row[], metric: string, planned: (row: Row) => number | undefined): Curve[] {
  const curves = new Map<string, { measured: Map<number, number>; planned: Map<number, number> }>()
  for (const row of rows) {
    const { name, params } = row
    const label = `${name}, ${params.threads} thread${params.threads === 1 ? '' : 's'}`
    const curve = curves.get(label) ?? { measured: new Map(), planned: new Map() }
    curves.set(label, curve)
    if (row.metric === metric) curve.measured.set(Number(params.batch), row.value)
    const promised = planned(row)
    if (promised !== undefined) curve.planned.set(Number(params.batch), promised)
  }
  const sorted = (points: ReadonlyMap<number, number>): Point[] => [...points].sort(([a], [b]) => a - b)
  return [...curves].map(([label, curve]) => {
    return { label, measured: sorted(curve.measured), planned: sorted(curve.planned) }
  })
}

function draw({ title, curves, left, width }: Panel, labels: readonly string[]): string[] {
  const all = curves.flatMap((curve) => [...curve.measured, ...curve.planned])
  if (all.length === 0) return []
  const ends = (values: readonly number[]) =>
    [Math.floor(Math.log2(Math.min(...values))), Math.ceil(Math.log2(Math.max(...values)))] as const
  const [x, y] = [ends(all.map(([batch]) => batch)), ends(all.map(([, value]) => value))]
  const share = (value: number, [lo, hi]: readonly [number, number]) => (Math.log2(value) - lo) / Math.max(1, hi - lo)
  const height = HEIGHT - EDGE.top - EDGE.bottom
  const across = (batch: number) => left + share(batch, x) * width
  const down = (value: number) => EDGE.top + (1 - share(value, y)) * height
  const path = (points: readonly Point[]) =>
    points.map(([batch, value]) => `${across(batch).toFixed(1)},${down(value).toFixed(1)}`).join(' ')
  const powers = ([lo, hi]: readonly [number, number]) => Array.from({ length: hi - lo + 1 }, (_, i) => 2 ** (lo + i))
  return [
    `<text x="${left}" y="${EDGE.top - 12}" fill="#222">${title}</text>`,
    ...powers(x).flatMap((batch) => [
      `<line x1="${across(batch)}" x2="${across(batch)}" y1="${EDGE.top}" y2="${EDGE.top + height}" stroke="#eee"/>`,
      `<text x="${across(batch)}" y="${EDGE.top + height + 18}" fill="#444" text-anchor="middle">${batch}</text>`,
    ]),
    ...powers(y).flatMap((value) => [
      `<line x1="${left}" x2="${left + width}" y1="${down(value)}" y2="${down(value)}" stroke="#ddd"/>`,
      `<text x="${left - 8}" y="${down(value) + 4}" fill="#444" text-anchor="end">${value}</text>`,
    ]),
    `<text x="${left + width / 2}" y="${HEIGHT - 12}" fill="#222" text-anchor="middle">images in a batch</text>`,
    ...curves.flatMap(({ label, measured, planned }) => {
      const colour = COLOURS[labels.indexOf(label) % COLOURS.length]
      return [
        `<polyline points="${path(planned)}" fill="none" stroke="${colour}" stroke-dasharray="5 4"/>`,
        `<polyline points="${path(measured)}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
        ...measured.map(
          ([batch, value]) =>
            `<circle cx="${across(batch).toFixed(1)}" cy="${down(value).toFixed(1)}" r="3.5" fill="${colour}"/>`,
        ),
      ]
    }),
  ]
}
