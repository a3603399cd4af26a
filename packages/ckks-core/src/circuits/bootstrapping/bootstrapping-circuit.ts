import type { AnyParameters } from '../../parameters/parameters.ts'
import type { Level } from '../../port/quantities.ts'
import type { BootstrappingLevels, BootstrappingSpec } from './bootstrapping-spec.ts'

/** What a bootstrapping circuit does to a ciphertext's level, and how surely. */
export interface BootstrappingCircuit {
  /** Parameters with room for the circuit. */
  readonly parameters: AnyParameters
  /** What the circuit is made of. */
  readonly spec: BootstrappingSpec
  /** Levels of the parts. */
  readonly levels: BootstrappingLevels
  /** Level at which a ciphertext is taken in; a higher one is brought down to it first. */
  readonly inputLevel: Level
  /** Level of the result. */
  readonly outputLevel: Level
  /**
   * Bound on the probability that modRaise and evalMod give a value within the range more than 2^-8 of the range off, before
   * any noise. 0 says that this cannot happen, as for every named set: the multiples I of q0 obey |I| <= 16.5 whatever the keys
   * and the randomness, and evalMod is right to 8 bits at each of them. It does not cover noise (see the precision that an
   * engine estimates), nor values outside the range that the circuit was prepared for: their error grows with the cube of
   * their size, and beyond a quarter of q0 they fold back.
   */
  readonly failureProbability: number
  /** Levels between two bootstraps. */
  readonly usableLevels: number
}
