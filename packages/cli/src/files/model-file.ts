import { basename } from 'node:path'
import { readOrdinaryFile } from '@he-ml/ckks-core/node'
import type { Model } from '@he-ml/model'
import { importOnnx } from '@he-ml/model-import'
import { aboutFile } from './about-file.ts'
import { MAX_MODEL_BYTES } from './size-limits.ts'

/** An ONNX model from its file, judged by its content, whatever its name. @throws whatever importing throws, naming the file; FileSystemError */
export async function readModel(path: string): Promise<Model> {
  const name = basename(path).replace(/\.onnx$/i, '')
  const bytes = readOrdinaryFile(path, { maxBytes: MAX_MODEL_BYTES, what: 'an ONNX model' })
  return aboutFile(
    path,
    bytes.then((file) => parseModel(file, name)),
  )
}

/** The model that a file's bytes are; as many as a file may have. @throws whatever importing throws */
export const parseModel = (bytes: Uint8Array, name: string): Promise<Model> =>
  importOnnx(bytes, { name, maxBytes: MAX_MODEL_BYTES })
