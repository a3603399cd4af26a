import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { UnsupportedError } from '@he-ml/ckks-core'
import { importOnnx } from '@he-ml/model-import'
import type { Model } from '@he-ml/packing'

/** A model from its file, by the ending. */
export async function readModel(path: string): Promise<Model> {
  if (!path.toLowerCase().endsWith('.onnx'))
    throw new UnsupportedError(
      `${path}: expected an ONNX file (.onnx); export the network with torch.onnx.export or its like`,
    )
  return importOnnx(await readFile(path), { name: basename(path).replace(/\.onnx$/i, '') })
}
