import type { CostModel } from '@he-ml/ckks-core'
import { machineCostModel, parseMachineCosts } from '@he-ml/ckks-native/client'
import { readText } from './read-text.ts'
import { MAX_MACHINE_BYTES } from './size-limits.ts'

/** The cost model in a file of `he-ml bench --out`. @throws FormatError */
export async function readMachine(path: string): Promise<CostModel> {
  return machineCostModel(
    parseMachineCosts(await readText(path, { maxBytes: MAX_MACHINE_BYTES, what: 'a file of machine costs' })),
  )
}
