// @ts-check
/** Whether this machine can build and run the C++ tests, told before anything is installed or built. */
import { spawnSync } from 'node:child_process'

/** @param {string} command @returns {boolean} */
const starts = (command) => spawnSync(command, ['--version']).status === 0

/**
 * @param {(command: string) => boolean} has whether a command starts
 * @param {Readonly<Record<string, string | undefined>>} environment `CXX` and `CMAKE_GENERATOR` say what CMake takes
 * @returns {string[]} what is missing, as people call it
 */
export function missingTools(has = starts, environment = process.env) {
  const { CXX, CMAKE_GENERATOR } = environment
  const compilers = CXX ? [CXX] : ['c++', 'g++', 'clang++']
  return [
    ...['cmake', 'ctest', ...(CMAKE_GENERATOR ? [] : ['make'])].filter((command) => !has(command)),
    ...(compilers.some(has) ? [] : [CXX ? `the C++ compiler ${CXX}` : 'a C++ compiler']),
  ]
}

/** @param {readonly string[]} missing at least one @returns {string} what `npm test` says then */
export const missingText = (
  missing,
) => `npm test builds and runs the C++ tests too, and this machine lacks ${missing.join(', ')}.
Install CMake 3.20 or newer and a C++20 compiler (Debian, Ubuntu: apt-get install cmake g++ make), then start it again.
Without them npm run demo runs what node-seal holds.`
