// @ts-check
/** The programs of READMEs in plain Node, in projects that have installed what the README says. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { transformSync } from 'esbuild'

/** @typedef {import('./consumers.mjs').Consumer} Consumer */
/** @typedef {{ ok: boolean, output: string }} Result of a process: what it wrote to both its outputs */

/** @param {string} folder @param {string} name @param {string} code in TypeScript @returns {string} the program, for the oldest Node */
export function writeProgram(folder, name, code) {
  const path = join(folder, `${name}.mjs`)
  writeFileSync(path, transformSync(code, { loader: 'ts', format: 'esm', target: 'node20' }).code)
  return path
}

/** @param {string} folder @param {readonly string[]} args of Node @returns {Promise<Result>} */
export const runNode = (folder, args) =>
  new Promise((resolve) => {
    // neither this machine's settings nor packages that are not installed
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HE_ML_|NODE_PATH$)/.test(name)))
    // the time limit is against hanging alone
    execFile(process.execPath, args, { cwd: folder, env, timeout: 600_000 }, (error, stdout, stderr) =>
      resolve({ ok: error === null, output: stdout + stderr }),
    )
  })

/**
 * @param {readonly Consumer[]} consumers
 * @returns {Promise<{ count: number, problems: string[] }>} how many programs ran
 */
export async function runPrograms(consumers) {
  const programs = consumers.flatMap(({ name, folder, blocks }) =>
    blocks.filter(({ runs }) => runs).map(({ code }, i) => ({ name, folder, code, label: `program-${i + 1}` })),
  )
  /** @type {string[]} */
  const problems = []
  const waiting = programs.values()
  const work = async () => {
    for (const { name, folder, code, label } of waiting) {
      const { ok, output } = await runNode(folder, [writeProgram(folder, label, code)])
      if (!ok) problems.push(`${name}: ${label} of the README failed\n${output}`)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return { count: programs.length, problems }
}
