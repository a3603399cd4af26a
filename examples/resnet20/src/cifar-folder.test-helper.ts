import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { smoothPictures } from './smooth-pictures.test-helper.ts'

/** A folder with CIFAR-10's files, of so many smooth pictures each; labels 0, 1, 2 and so on. */
export async function cifarFolder(count: number): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'he-ml-resnet20-test-'))
  const records = smoothPictures(count).map((pixels, i) => Uint8Array.of(i % 10, ...pixels))
  for (const name of ['data_batch_1.bin', 'test_batch.bin']) await writeFile(join(path, name), Buffer.concat(records))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
