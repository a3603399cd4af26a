/** OpenFHE's side: programs of ours (benchmarks/peers/openfhe) linked with their library. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import { repositoryRoot } from '../places.ts'

export interface Drivers {
  readonly keySwitch: string
  readonly bootstrap: string
  readonly functional: string
}

/**
 * Builds our drivers against their library, in a folder outside the repository that is gone afterwards.
 *
 * @throws InvalidArgumentError where no OpenFHE is installed; UnsupportedError when the build fails
 */
export async function withDrivers(install: string, work: (drivers: Drivers) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'he-ml-peer-'))
  try {
    await work(await buildDrivers(install, folder))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function buildDrivers(install: string, folder: string): Promise<Drivers> {
  const config = ['lib', 'lib64'].map((lib) => resolve(install, lib, 'OpenFHE')).find((path) => existsSync(path))
  if (config === undefined)
    throw new InvalidArgumentError(
      `--openfhe: no lib/OpenFHE below ${install}: give the install prefix; benchmarks/peers/README.md says how to build it`,
    )
  const source = join(repositoryRoot, 'benchmarks/peers/openfhe')
  const run = promisify(execFile)
  try {
    await run('cmake', ['-S', source, '-B', folder, `-DOpenFHE_DIR=${config}`])
    await run('cmake', ['--build', folder, '--parallel', String(availableParallelism())])
  } catch (error) {
    throw new UnsupportedError(
      `the OpenFHE drivers cannot be built: ${(error as { stderr?: string }).stderr ?? error}`,
      {
        cause: error,
      },
    )
  }
  return {
    keySwitch: join(folder, 'key-switch-driver'),
    bootstrap: join(folder, 'bootstrap-driver'),
    functional: join(folder, 'functional-driver'),
  }
}
