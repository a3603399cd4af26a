/** The story: tick until the levels are used up, bootstrap, go on. */
import type { Bootstrapping } from '@he-ml/ckks-core'
import { type Hands, handsAt, keysFor } from './clock.ts'
import { Client, type Report, Server } from './session.ts'

/** The state after one tick or one bootstrap. */
export interface Step {
  readonly kind: 'start' | 'tick' | 'bootstrap'
  readonly ticks: number
  readonly bootstraps: number
  readonly level: number
  readonly seconds: number
  /** -log2 of the mean and of the largest error over all slots. */
  readonly meanBits: number
  readonly worstBits: number
}

export interface RunOptions {
  readonly bootstraps: number
  readonly threads: number
  readonly onKey: Report
  readonly onStep: (step: Step) => void
}

/** Runs the clocks through `bootstraps` bootstraps and all the ticks in between. */
export async function runClocks(circuit: Bootstrapping, options: RunOptions): Promise<Step[]> {
  const { slots } = circuit.spec
  // every clock starts at an angle of its own and turns at a speed of its own
  const start = Float64Array.from({ length: slots }, (_, i) => (2 * Math.PI * i) / slots)
  const speed = Float64Array.from({ length: slots }, (_, i) => 1 / (i + 1))

  await using client = await Client.create(circuit, options.threads)
  await using server = new Server(circuit, options.threads)
  await server.open(client.evaluationKeys(await keysFor(circuit), options.onKey))
  await server.accept(
    await client.encrypt(handsAt(start), circuit.outputLevel),
    await client.encrypt(handsAt(speed), circuit.outputLevel),
  )

  const steps: Step[] = []
  let [ticks, bootstraps] = [0, 0]
  const look = async (kind: Step['kind'], seconds: number) => {
    // the client peeks after every step; in earnest it would decrypt once, at the end
    const got = await client.decrypt(await server.result())
    const wanted = handsAt(start.map((angle, i) => angle + ticks * speed[i]!))
    const step = { kind, ticks, bootstraps, level: server.level, seconds, ...precision(got, wanted) }
    steps.push(step)
    options.onStep(step)
  }

  await look('start', 0)
  while (bootstraps < options.bootstraps) {
    while (server.ticksLeft > 0) {
      const seconds = await server.tick()
      ticks++
      await look('tick', seconds)
    }
    const seconds = await server.bootstrap()
    bootstraps++
    await look('bootstrap', seconds)
  }
  return steps
}

function precision(got: Hands, wanted: Hands): Pick<Step, 'meanBits' | 'worstBits'> {
  const errors = wanted.re.map((re, i) => Math.hypot(got.re[i]! - re, got.im[i]! - wanted.im[i]!))
  const sum = errors.reduce((a, b) => a + b, 0)
  const worst = errors.reduce((a, b) => Math.max(a, b), 0)
  return { meanBits: -Math.log2(sum / errors.length), worstBits: -Math.log2(worst) }
}
