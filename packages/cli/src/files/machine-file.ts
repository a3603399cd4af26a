import type { CostModel } from '@he-ml/ckks-core'
import { machineCostModel, parseMachineCosts } from '@he-ml/ckks-native/client'
import { aboutFile } from './about-file.ts'
import { readText } from './read-text.ts'
import { MAX_MACHINE_BYTES } from './size-limits.ts'

/** The cost model in a file of `he-ml bench --out`. @throws FormatError, FileSystemError naming the file */
export async function readMachine(path: string): Promise<CostModel> {
  const text = readText(path, { maxBytes: MAX_MACHINE_BYTES, what: 'a file of machine costs' })
  return machineCostModel(await aboutFile(path, text.then(parseMachineCosts)))
}
