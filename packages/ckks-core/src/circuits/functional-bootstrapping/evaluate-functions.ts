import type { Evaluator } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import type { Level } from '../../port/quantities.ts'
import { doubledRealPart } from '../complex-parts.ts'
import { evaluateComposite, evaluateTogether } from '../polynomial/index.ts'
import { scope } from '../scope.ts'
import { toLevel } from '../to-level.ts'
import { type Exponential, evaluateExponential } from './exponential.ts'
import type { PeriodicFunction } from './periodic-function.ts'

/** What is made of raised values. */
export interface FunctionalWork {
  readonly exponential: Exponential
  readonly functions: readonly PeriodicFunction[]
  readonly outputLevel: Level
}

/** Functions of t = (x + I) / RAISE_BOUND, slot by slot; nominal scale at the output level. The input is only read. */
export function evaluateFunctions(engine: Evaluator, t: Ciphertext, work: FunctionalWork): Ciphertext[] {
  const angle = evaluateExponential(engine, t, work.exponential)
  try {
    return functionsOfAngle(engine, angle, work)
  } finally {
    angle.dispose()
  }
}

/** The same from E on. */
export function functionsOfAngle(engine: Evaluator, angle: Ciphertext, work: FunctionalWork): Ciphertext[] {
  const halves = evaluateTogether(
    engine,
    angle,
    work.functions.map(({ half }) => half),
  )
  return scope((use) => {
    for (const half of halves) use(half)
    return halves.map((half, i) => use(finish(engine, half, work.functions[i]!, work.outputLevel)))
  })
}

function finish(engine: Evaluator, half: Ciphertext, { after }: PeriodicFunction, level: Level): Ciphertext {
  return scope((use) => {
    const real = use(doubledRealPart(engine, half))
    const result = use(after.length === 0 ? real : evaluateComposite(engine, real, after))
    return toLevel(engine, result, level)
  })
}
