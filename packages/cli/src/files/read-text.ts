import { type ReadOptions, readOrdinaryFile } from '@he-ml/ckks-core/node'

/** An ordinary file as text (UTF-8, a byte order mark kept). @throws as readOrdinaryFile */
export async function readText(path: string, options: ReadOptions): Promise<string> {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(await readOrdinaryFile(path, options))
}
