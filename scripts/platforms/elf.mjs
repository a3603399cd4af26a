// @ts-check
/** What a compiled library asks of the machine it is carried to. */
import { execFileSync } from 'node:child_process'

/** What readelf calls the processors of targets. */
const MACHINES = new Map([
  ['Advanced Micro Devices X86-64', 'x64'],
  ['AArch64', 'arm64'],
])
/** What every machine with Node and glibc has. */
const EVERYWHERE = /^(libc|libm|libgcc_s|ld-linux-x86-64|ld-linux-aarch64)\.so\.\d+$/

/**
 * @typedef {object} Needs
 * @property {string} cpu as Node names it, or as readelf does
 * @property {readonly string[]} libraries
 * @property {string} glibc the newest version of a symbol, '2.34'
 */

/** @param {string} text of `readelf -h -d -V --wide` @returns {Needs} */
export function needsIn(text) {
  const machine = /^ *Machine: *(.*?) *$/m.exec(text)?.[1] ?? ''
  const versions = [...text.matchAll(/\bGLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => [Number(major), Number(minor)])
  const newest = versions.reduce((a, b) => (isNewer(b, a) ? b : a), [0, 0])
  return {
    cpu: MACHINES.get(machine) ?? machine,
    libraries: [...text.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, library]) => String(library)),
    glibc: newest.join('.'),
  }
}

/** @param {readonly (number | undefined)[]} a @param {readonly (number | undefined)[]} b */
const isNewer = ([a0 = 0, a1 = 0], [b0 = 0, b1 = 0]) => a0 > b0 || (a0 === b0 && a1 > b1)
/** @param {string} version */
const numbers = (version) => version.split('.').map(Number)

/**
 * Why a library cannot be carried to every machine of a target.
 * @param {Needs} needs
 * @param {{ target: string, glibc: string }} wanted
 * @returns {string[]} problems
 */
export function portabilityProblems({ cpu, libraries, glibc }, wanted) {
  const problems = libraries.filter((l) => !EVERYWHERE.test(l)).map((l) => `needs ${l}, which a machine may not have`)
  if (wanted.target !== `linux-${cpu}`) problems.push(`is for ${cpu}, expected ${wanted.target}`)
  if (isNewer(numbers(glibc), numbers(wanted.glibc)))
    problems.push(`needs glibc ${glibc}, expected ${wanted.glibc} or older: build with an older one`)
  return problems
}

/** @param {string} file @returns {Needs} */
export const needsOf = (file) =>
  needsIn(
    execFileSync('readelf', ['-h', '-d', '-V', '--wide', file], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      maxBuffer: 2 ** 26,
    }),
  )
