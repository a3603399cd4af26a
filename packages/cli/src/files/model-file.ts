import { basename } from 'node:path'
import { UnsupportedError } from '@he-ml/ckks-core'
import { readOrdinaryFile } from '@he-ml/ckks-core/node'
import { importOnnx } from '@he-ml/model-import'
import type { Model } from '@he-ml/packing'
import { MAX_MODEL_BYTES } from './size-limits.ts'

/** A model from its file, by the ending. */
export async function readModel(path: string): Promise<Model> {
  if (!path.toLowerCase().endsWith('.onnx'))
    throw new UnsupportedError(
      `${path}: expected an ONNX file (.onnx); export the network with torch.onnx.export or its like`,
    )
  const bytes = await readOrdinaryFile(path, { maxBytes: MAX_MODEL_BYTES, what: 'an ONNX model' })
  return importOnnx(bytes, { name: basename(path).replace(/\.onnx$/i, '') })
}
