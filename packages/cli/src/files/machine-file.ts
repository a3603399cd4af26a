import { readFile } from 'node:fs/promises'
import type { CostModel } from '@he-ml/ckks-core'
import { machineCostModel, parseMachineCosts } from '@he-ml/ckks-native/client'
import { aboutFile } from './about-file.ts'

/** The cost model in a file of `he-ml bench --out`. @throws FormatError, FileSystemError naming the file */
export async function readMachine(path: string): Promise<CostModel> {
  return machineCostModel(await aboutFile(path, readFile(path, 'utf8').then(parseMachineCosts)))
}
