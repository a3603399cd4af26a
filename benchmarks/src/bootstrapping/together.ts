/** Bootstraps in lock step against one after another: the same ciphertexts in groups of several sizes, which take turns. */
import { HeMlError } from '@he-ml/ckks-core'
import { progress } from '../progress.ts'
import type { Emit, RowParams } from '../rows.ts'
import { median } from '../statistics.ts'
import { bits, overall } from './accuracy.ts'
import type { BootstrappingClient, BootstrappingServer, GroupedResult } from './encrypted-bootstrapping.ts'
import { randomSlots, randomSource } from './random-slots.ts'

const NAME = 'bootstrap-together'
/** Ciphertexts of one turn: groups of one, two, four and eight are full. */
const CIPHERTEXTS = 8
const SEED = 2029

/** Emits rows for each size of groups; every turn's results must be those of the first, which are decrypted. */
export async function measureTogether(of: {
  readonly client: BootstrappingClient
  readonly server: BootstrappingServer
  readonly sizes: readonly number[]
  readonly turns: number
  /** In the worst slot, or nothing is timed. */
  readonly leastBits: number
  readonly params: RowParams
  readonly emit: Emit
}): Promise<void> {
  const { client, server, sizes, turns, leastBits, emit } = of
  const { slots, content } = client.circuit.spec
  const random = randomSource(SEED)
  const values = Array.from({ length: CIPHERTEXTS }, () => randomSlots(slots, content, random))
  const inputs: string[] = []
  for (const [i, value] of values.entries())
    inputs.push(await client.encrypt(value, client.circuit.inputLevel, `together-${i}`))
  const { first, errors } = await server.grouped(values, inputs)
  const worst = bits(overall(errors).max)
  if (!(worst >= leastBits))
    throw new HeMlError('Benchmark', `bootstrapped ciphertexts decrypt to ${worst.toFixed(1)} bits in the worst slot`)
  const measured = new Map<number, GroupedResult[]>(sizes.map((size) => [size, []]))
  for (let turn = 0; turn < turns; turn++)
    for (const size of sizes) {
      const result = await server.group(inputs, size)
      if (String(result.digests) !== String(first.digests))
        throw new HeMlError('Benchmark', `bootstraps in groups of ${size} give other bits than alone`)
      measured.get(size)!.push(result)
      const { seconds, processorSeconds } = result
      progress(
        `turn ${turn + 1} of ${turns}, ${size} together: ${each(seconds)} s each, processor ${each(processorSeconds)} s`,
      )
    }
  for (const [together, results] of measured) {
    const params = { ...of.params, together, ciphertexts: CIPHERTEXTS, turns }
    const row = (metric: string, value: number) =>
      emit({ name: NAME, params, metric, value: value / CIPHERTEXTS, unit: 's per ciphertext' })
    row('time', median(results.map(({ seconds }) => seconds)))
    row('time-best', Math.min(...results.map(({ seconds }) => seconds)))
    row('cpu-time', Math.min(...results.map(({ processorSeconds }) => processorSeconds)))
  }
}

const each = (seconds: number): string => (seconds / CIPHERTEXTS).toFixed(3)
