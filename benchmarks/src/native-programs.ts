/** The C++ benchmark programs: built on demand, run with one forced kernel, their lines read. */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { UnsupportedError } from '@he-ml/ckks-core'
import { nativeBuild, repositoryRoot } from './places.ts'

/** Programs and the packages that they are of. */
const PROGRAMS = {
  'engine-bench': 'ckks-native',
  'float-bench': 'float-kernels',
  'kernel-bench': 'ckks-native',
  'limits-bench': 'ckks-native',
} as const
export type NativeProgram = keyof typeof PROGRAMS

/** Builds what is missing or older than its sources, of the packages of these programs. @throws UnsupportedError without CMake or a compiler */
export function buildNativePrograms(
  programs: readonly NativeProgram[] = Object.keys(PROGRAMS) as NativeProgram[],
): void {
  for (const name of new Set(programs.map((program) => PROGRAMS[program]))) {
    const script = join(repositoryRoot, 'packages', name, 'scripts/build.mjs')
    try {
      execFileSync(process.execPath, [script, '--quiet', '--bench'], { stdio: ['ignore', 'ignore', 'inherit'] })
    } catch (error) {
      throw new UnsupportedError(
        'the C++ benchmark programs cannot be built: install CMake 3.20 or newer and a C++20 compiler',
        { cause: error },
      )
    }
  }
  for (const program of programs)
    if (!existsSync(join(nativeBuild(PROGRAMS[program]), program)))
      throw new UnsupportedError(
        `the build made no ${program}: delete packages/${PROGRAMS[program]}/build and try again`,
      )
}

/** The JSON lines a program prints. */
export async function runNativeProgram<Line>(
  program: NativeProgram,
  args: readonly string[],
  kernel?: string,
): Promise<Line[]> {
  const environment = kernel === undefined ? process.env : { ...process.env, HE_ML_KERNEL: kernel }
  const { stdout } = await promisify(execFile)(join(nativeBuild(PROGRAMS[program]), program), [...args], {
    env: environment,
    maxBuffer: 2 ** 26,
  })
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
}
