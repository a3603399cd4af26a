/** Runs looked at from inside, with keys made for them: whether every spike is the clear network's, and how membranes drift. */
import { tmpdir, totalmem } from 'node:os'
import { type LayerLook, lookInside, scatterOf } from '@he-ml/example-privspike-lenet5/look'
import type { Model, Tensor } from '@he-ml/model'
import type { BoundPlan } from '@he-ml/pipeline'
import { progress } from '../progress.ts'

export type InsideRow = readonly [metric: string, value: number, unit: string, more: Record<string, string>]

/** @param threads of both sides */
export async function spikesInside(
  bound: BoundPlan,
  model: Model,
  inputs: readonly Tensor[],
  threads: number,
): Promise<InsideRow[]> {
  const looks: LayerLook[][] = []
  const silent = () => ({ update: () => undefined, stop: () => undefined })
  for (const [i, input] of inputs.entries()) {
    const { signal } = new AbortController()
    const options = { threads, memory: totalmem(), scratch: tmpdir(), startBar: silent, signal }
    looks.push(await lookInside(bound, model, input, options))
    progress(`inside ${i + 1} of ${inputs.length}`)
  }
  return insideRows(looks)
}

/** @param looks layers of each input */
export function insideRows(looks: readonly (readonly LayerLook[])[]): InsideRow[] {
  const all = looks.flat()
  const seen = sum(all.map((layer) => layer.seen))
  const differing = sum(all.map((layer) => layer.differing))
  const scatter = scatterOf(all)
  const drift = looks[0]!.flatMap(({ name, drift: steps }, k) =>
    steps.flatMap((_, t): InsideRow[] => {
      const offs = looks.flatMap((layers) => layers[k]!.drift[t]!.charged ?? [])
      if (offs.length === 0) return []
      return [
        [
          'drift',
          Math.sqrt(sum(offs.map((x) => x * x)) / offs.length),
          'membrane units',
          { layer: name, step: `${t + 1}` },
        ],
      ]
    }),
  )
  return [
    ['spike-agreement', (100 * (seen - differing)) / seen, '%', {}],
    ['neuron-steps', seen, 'spikes', {}],
    ...(scatter
      ? ([
          ['scatter', scatter.deviation, 'grid steps', {}],
          ['furthest', scatter.furthest, 'grid steps', {}],
        ] as const)
      : []),
    ...drift,
  ]
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
