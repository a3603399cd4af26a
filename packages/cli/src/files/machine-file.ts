import { readFile } from 'node:fs/promises'
import type { CostModel } from '@he-ml/ckks-core'
import { machineCostModel, parseMachineCosts } from '@he-ml/ckks-native/client'

/** The cost model in a file of `he-ml bench --out`. @throws FormatError */
export async function readMachine(path: string): Promise<CostModel> {
  return machineCostModel(parseMachineCosts(await readFile(path, 'utf8')))
}
