import { readFile } from 'node:fs/promises'
import { writeFileAtomic } from '@he-ml/ckks-core/node'
import type { FloatKernels } from '@he-ml/float-kernels'
import type { ModelFacts } from '@he-ml/model/spiking'
import { encodeModel, type LoadedModel, parseModel } from '../files/model-file.ts'
import type { Network } from '../network/network.ts'

/** Writes `path`.safetensors, then `path`.json, which names the weights' checksum; see encodeModel. */
export async function saveModel(path: string, network: Network, about: ModelFacts = {}): Promise<void> {
  const { description, weights } = encodeModel(network, about)
  await writeFileAtomic(`${path}.safetensors`, weights)
  await writeFileAtomic(`${path}.json`, new TextEncoder().encode(description))
}

/**
 * Reads `path`.json and `path`.safetensors.
 * @throws FormatError when they are damaged or do not belong together; the file system's errors
 */
export async function loadModel(
  path: string,
  options: { readonly kernels?: FloatKernels<Float32Array> } = {},
): Promise<LoadedModel> {
  const description = await readFile(`${path}.json`, 'utf8')
  return parseModel({ description, weights: await readFile(`${path}.safetensors`) }, options)
}
