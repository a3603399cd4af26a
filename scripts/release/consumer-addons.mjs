// @ts-check
/** The compiled addons of an installed package: from the platform's package; without it an error that helps; built from source. */
import { existsSync, realpathSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hostTarget, TARGETS } from '../../packages/native-runtime/scripts/targets.mjs'
import { ADDONS } from '../platforms/platform-packages.mjs'
import { runNode, writeProgram } from './consumer-programs.mjs'

/** @typedef {import('./consumers.mjs').Consumer} Consumer */

const TELL = `
for (const path of process.report.getReport().sharedObjects) if (/he_ml_\\w+\\.node$/.test(path)) console.log('loaded ' + path)
`

/** @param {Consumer} consumer @returns {Promise<{ ok: boolean, output: string, loaded: string[] }>} its README's first program, and the addons in it */
async function compute({ folder, blocks }) {
  const { ok, output } = await runNode(folder, [writeProgram(folder, 'addons', `${blocks[0]?.code}${TELL}`)])
  return { ok, output, loaded: [...output.matchAll(/^loaded (.*)$/gm)].map(([, path]) => String(path)) }
}

/**
 * @param {Consumer} consumer
 * @param {readonly string[]} addons
 * @param {string} place folder that all of them must come from
 * @returns {Promise<string[]>} problems
 */
async function problemsOfPlace(consumer, addons, place) {
  const { ok, output, loaded } = await compute(consumer)
  const wanted = addons.map((addon) => join(place, `${addon}.node`)).sort()
  if (ok && String(loaded.sort()) === String(wanted)) return []
  return [`${consumer.name} must compute with ${wanted.join(' and ')}, and did not\n${output}`]
}

/**
 * @param {Consumer} consumer
 * @param {readonly string[]} addons
 * @param {boolean} fromSource whether to do what the error advises
 * @returns {Promise<string[]>} problems
 */
async function problemsWithout(consumer, addons, fromSource) {
  const { ok, output } = await compute(consumer)
  const command = /: node "(.*)"$/m.exec(output)?.[1]
  if (ok || command === undefined || !existsSync(command) || !output.includes(': not installed'))
    return [`${consumer.name} without an addon must fail, name what it tried and a command that is there\n${output}`]
  if (!fromSource) return []
  const built = await runNode(consumer.folder, [command, '--quiet'])
  if (!built.ok) return [`${consumer.name}: ${command} failed\n${built.output}`]
  return problemsOfPlace(consumer, addons, join(dirname(dirname(command)), 'build/release'))
}

/**
 * Takes the platform's packages away.
 * @param {readonly Consumer[]} consumers
 * @param {boolean} fromSource
 * @returns {Promise<string[]>} problems
 */
export async function addonProblems(consumers, fromSource) {
  const problems = []
  for (const [main, addons] of Object.entries(ADDONS)) {
    const consumer = consumers.find(({ name }) => name === `@he-ml/${main}`)
    if (consumer === undefined) continue
    const installed = realpathSync(join(consumer.folder, 'node_modules', consumer.name))
    const platform = `${installed}-${hostTarget()}`
    if (hostTarget() in TARGETS) problems.push(...(await problemsOfPlace(consumer, addons, realpathSync(platform))))
    rmSync(platform, { recursive: true, force: true })
    problems.push(...(await problemsWithout(consumer, addons, fromSource)))
  }
  return problems
}
