import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { UnsupportedError } from '@he-ml/ckks-core'
import { importOnnx } from '@he-ml/model-import'
import type { Model } from '@he-ml/packing'
import { aboutFile } from './about-file.ts'

/** A model from its file, by the ending. @throws whatever importing throws, naming the file; FileSystemError */
export async function readModel(path: string): Promise<Model> {
  if (!path.toLowerCase().endsWith('.onnx'))
    throw new UnsupportedError(
      `${path}: expected an ONNX file (.onnx); export the network with torch.onnx.export or its like`,
    )
  const name = basename(path).replace(/\.onnx$/i, '')
  return aboutFile(
    path,
    readFile(path).then((bytes) => importOnnx(bytes, { name })),
  )
}
