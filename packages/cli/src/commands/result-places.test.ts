import { mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as places from '../files/output-place.ts'
import { resultPlaces } from './result-places.ts'

vi.mock('../files/output-place.ts', async (original) => {
  const actual = await original<typeof places>()
  return { ...actual, placeOf: vi.fn(actual.placeOf) }
})

let folder = ''
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'he-ml-results-')))
})
afterEach(() => rm(folder, { recursive: true }))
const at = (...names: string[]) => join(folder, ...names)

describe('places of results', () => {
  it('are found by looking at each input and each output once', async () => {
    const looked = async (count: number): Promise<number> => {
      const inputs = Array.from({ length: count }, (_, i) => at(`${i}.ct`))
      for (const input of inputs) await writeFile(input, '')
      vi.mocked(places.placeOf).mockClear()
      const found = await resultPlaces(inputs, at(`of-${count}`), { files: [at('plan.json')], folders: [at('keys')] })
      expect(found).toEqual(inputs.map((input, i) => ({ input, out: at(`of-${count}`, `${i}.ct`) })))
      return vi.mocked(places.placeOf).mock.calls.length
    }
    const [few, many] = [await looked(10), await looked(40)]
    // each input and each output, the plan, the keys, the folder
    expect([few, many]).toEqual([2 * 10 + 3, 2 * 40 + 3])
  })
  it('are refused where two would be one file, with both inputs by name, and nothing is made', async () => {
    const error = await resultPlaces([at('a', 'x.ct'), at('y.ct'), at('b', 'x.ct')], at('out'), {}).catch((e) => e)
    expect(error).toBeInstanceOf(InvalidArgumentError)
    for (const name of [at('a', 'x.ct'), at('b', 'x.ct'), at('out', 'x.ct')]) expect(error.message).toContain(name)
    expect(await readdir(folder)).toEqual([])
  })
})
