/**
 * One network on encrypted digits, from plan to decrypted logits. The same code runs one digit at a time (multiplexed
 * packing) and thousands at once (image = slot): the plan says which.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { forwardApproximate, isCalibrated, type Model, type Tensor } from '@he-ml/model'
import { type Calibration, type CompileOptions, compileAndBind } from '@he-ml/pipeline'
import type { Engines } from './engines.ts'
import type { DigitInput } from './inputs.ts'
import type { DigitOutcome, NetworkOutcome } from './outcome.ts'
import { startBar } from './progress.ts'
import { Client, Server } from './session.ts'

export interface ClassifyOptions {
  readonly title: string
  readonly calibration?: Calibration
  readonly compile: CompileOptions
  readonly engines: Engines
}

/** @throws PlanError for a network that the engines cannot hold; nothing was made then */
export async function classify(
  model: Model,
  digits: readonly DigitInput[],
  options: ClassifyOptions,
): Promise<NetworkOutcome> {
  const { title, engines, calibration } = options
  const times: Record<string, number> = {}
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const started = performance.now()
    const result = await work()
    times[name] = (times[name] ?? 0) + (performance.now() - started) / 1000
    return result
  }
  console.log(`\n${title}`)
  const plan = await timed('plan', () =>
    compileAndBind(model, { ...options.compile, ...engines.compile, ...(calibration ? { calibration } : {}) }),
  )
  const { report } = plan.plan
  console.log(
    `  plan: ring 2^${report.logN}, ${report.depth} levels, ${report.securityMarginBits.toFixed(0)} bits below the 128-bit limit; ` +
      `${report.rotations} rotations, ${report.products} products, ${report.keys.count} evaluation keys`,
  )
  engines.assertHolds(plan.plan)
  await using client = await Client.create(plan, engines)
  await using server = await Server.create(plan, engines)
  const folder = await mkdtemp(join(tmpdir(), 'he-ml-lenet5-'))
  await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
  const keys = startBar('keys')
  await timed('keys', () => client.writeKeys(folder, keys.update))
  await timed('keys', () => server.openKeys(folder))
  keys.stop()
  const weights = startBar('encoding weights')
  await timed('encode weights', () => server.prepare(weights.update))
  weights.stop()
  const outcomes: DigitOutcome[] = []
  const approximated = plan.model.nodes.some(({ layer }) => isCalibrated(layer))
  const batch = plan.plan.batch
  const running = startBar(digits.length === 1 ? 'encrypted inference' : `${digits.length} digits`)
  for (let from = 0; from < digits.length; from += batch) {
    const part = digits.slice(from, from + batch)
    const input = await timed('encrypt', () => client.encrypt(part.map((d) => d.tensor)))
    const { file, seconds } = await timed('server', () =>
      server.run(input, ({ fraction, layer }) =>
        running.update((from + fraction * part.length) / digits.length, layer),
      ),
    )
    times.inference = (times.inference ?? 0) + seconds
    const logits = await timed('decrypt', () => client.decrypt(file, part.length))
    for (const [i, digit] of part.entries()) {
      const clear = model.forward(digit.tensor).data
      const polynomial = approximated ? polynomialLogits(plan.model, digit.tensor) : clear
      outcomes.push({ input: digit, encrypted: logits[i]!.data, clear, polynomial, seconds: seconds / part.length })
    }
  }
  running.stop()
  return { title, plan: plan.plan, digits: outcomes, times, peakBytes: server.peakBytes }
}

/** The compiled network in the clear: polynomials instead of activations. */
function polynomialLogits(model: Model, input: Tensor): Float64Array {
  return model.evaluate(input, ({ layer }, inputs) => forwardApproximate(layer, inputs)).data
}
