/** Where things lie, from the repository's root. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url))
/** Where a package's C++ programs are built. */
export const nativeBuild = (name: string): string => join(repositoryRoot, 'packages', name, 'build/release')
export const resultsFolder = join(repositoryRoot, 'benchmarks/results')

/** A file or folder of the shared data (HE_ML_SHARED, or `shared` beside the repository), if it is there. */
export function sharedPath(path: string): string | undefined {
  const shared = process.env.HE_ML_SHARED ?? join(repositoryRoot, '..', 'shared')
  const full = join(shared, path)
  return existsSync(full) ? full : undefined
}

export const exampleModel = (name: string): string => join(repositoryRoot, 'examples/lenet5/models', name)

export const spikingModel = (name: string): string => join(repositoryRoot, 'examples/train-spiking-lenet5/models', name)

export const resnetModel = (name: string): string => join(repositoryRoot, 'examples/resnet20/models', name)
