import { LevelError, ScaleError } from '../errors/errors.ts'
import type { Evaluator } from '../port/engine.ts'
import type { Ciphertext } from '../port/handles.ts'
import { sameScale } from '../port/operand-checks.ts'
import type { Level, Scale } from '../port/quantities.ts'

/** Correction factors smaller than this would round the constant 1 too coarsely. */
const SMALLEST_FACTOR = 2 ** 10

/**
 * Brings a ciphertext to a lower level with exactly the wanted scale, so that it can be added to what lives there. Where
 * the scale already fits, primes are forgotten; otherwise one level of the difference pays for the correction: the
 * ciphertext is dropped to `level + 1`, multiplied by 1 at the scale that makes the rescale land exactly, and rescaled.
 *
 * @param scale default: the nominal scale of `level`
 * @returns a new handle, also when nothing had to be done
 * @throws LevelError when `level` is above the ciphertext's; ScaleError when the scale differs and no level is left for it
 */
export function toLevel(
  engine: Evaluator,
  a: Ciphertext,
  level: Level,
  scale: Scale = engine.parameters.scaleAt(level),
): Ciphertext {
  if (level > a.level)
    throw new LevelError(`toLevel: cannot raise level ${a.level} to ${level}: refresh, or start at a higher level`)
  if (sameScale(a.scale, scale)) return engine.dropLevel(a, level)
  if (level === a.level)
    throw new ScaleError(
      `toLevel: scale 2^${Math.log2(a.scale).toFixed(6)} cannot become 2^${Math.log2(scale).toFixed(6)} at the same level ${level}: rescale first, or allow one level for it`,
    )
  const factor = (scale * engine.parameters.groupProduct(level + 1)) / a.scale
  if (factor < SMALLEST_FACTOR)
    throw new ScaleError(
      `toLevel: going from scale 2^${Math.log2(a.scale).toFixed(2)} to 2^${Math.log2(scale).toFixed(2)} at level ${level} leaves a correction of only ${factor.toFixed(1)}: rescale first`,
    )
  const dropped = engine.dropLevel(a, level + 1)
  const scaled = engine.mulScalar(dropped, 1, factor)
  const result = engine.rescale(scaled)
  dropped.dispose()
  scaled.dispose()
  return result
}
