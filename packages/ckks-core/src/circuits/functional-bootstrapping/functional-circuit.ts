import type { AnyParameters } from '../../parameters/parameters.ts'
import type { Level } from '../../port/quantities.ts'
import type { FunctionalLevels, FunctionalSpec } from './functional-spec.ts'

/** What a functional bootstrapping circuit does to a ciphertext's level, and how exactly. */
export interface FunctionalCircuit {
  /** Parameters with room for the circuit. */
  readonly parameters: AnyParameters
  /** What the circuit is made of. */
  readonly spec: FunctionalSpec
  /** Levels of the parts. */
  readonly levels: FunctionalLevels
  /** Level at which a ciphertext is taken in; a higher one is brought down to it first. */
  readonly inputLevel: Level
  /** Level of E. */
  readonly angleLevel: Level
  /** Level of the results. */
  readonly outputLevel: Level
  /** Largest error of E without noise, an angle in radians: the multiples of q0 obey |I| <= 16.5 whatever the keys. */
  readonly angleError: number
  /** Levels between a result and the next one's input. */
  readonly usableLevels: number
}
