import type { BootstrappingSpec, CostModel, ParametersLiteral, ParametersRequest } from '@he-ml/ckks-core'
import type { ActivationOptions } from '../ready/calibrate-activations.ts'
import type { Calibration } from '../ready/calibration.ts'
import type { Packing } from './input-layout.ts'

/** A bootstrapping parameter set, its circuit adapted if wanted. */
export interface NamedBootstrapping {
  /** One of BOOTSTRAPPING_SETS. */
  readonly set: string
  /** Changes to the set's circuit; slots and content are chosen by the planner. */
  readonly spec?: Partial<Omit<BootstrappingSpec, 'slots' | 'content'>>
}

/** A set made for the network; see `designRefresh`. */
export interface DesignedBootstrapping {
  /** Levels between two bootstraps. */
  readonly levels: number
  /** Bits that a refreshed value keeps, relative to its range. Default 13. */
  readonly precisionBits?: number
}

/** Which parameters to bootstrap with: a set by its name, or one made for so many levels. */
export type BootstrappingOptions = NamedBootstrapping | DesignedBootstrapping

/** Options of {@link compile}; all of them have defaults, but most networks need a calibration. */
export interface CompileOptions {
  /** From `fit`; needed when the model has activations that are not polynomials, and for bootstrapping. */
  readonly calibration?: Calibration
  /** How activations become polynomials. Default: degree, margin and method of `COMPILE_DEFAULTS`: 27, 1.25, least squares. */
  readonly activation?: Partial<ActivationOptions>
  /**
   * One image at a time (multiplexed), image = slot (batch), or a channel of many images in a ciphertext (channel: deep
   * networks). 'auto' (default): multiplexed without a batch, or for a batch of one; otherwise that of the other two whose plan
   * takes less time.
   */
  readonly packing?: Packing | 'auto'
  /**
   * Images per run (batch packing: a power of two; channel packing: any number, there is room for the next power of two). Default: as many
   * as a ciphertext has room for.
   */
  readonly batch?: number
  /** Explicit parameters; default: the smallest ring that is 128-bit secure for the depth. */
  readonly parameters?: ParametersLiteral | ParametersRequest
  /** Bits of the scale. Default 36. */
  readonly scaleBits?: number
  /** Bits of the base modulus. Default scaleBits + 8, or more where `fit` saw larger results. */
  readonly baseBits?: number
  /** Force the ring. */
  readonly logN?: number
  /** Shapes the parameters for another engine, such as `sealParameters` of ckks-seal. Slots stay real then: see `LowerContext.pairs`. */
  readonly request?: (
    sizes: Required<Pick<ParametersRequest, 'logN' | 'levels' | 'scaleBits' | 'baseBits'>>,
  ) => ParametersRequest
  /**
   * Whether ciphertexts are bootstrapped on the way. 'auto' (default): when no ring holds the depth, or when the largest does and bootstraps
   * are faster. 'always', one of
   * the sets of `BOOTSTRAPPING_SETS` or one for so many levels: use such parameters, even where nothing needs to be refreshed. Without
   * a set the fastest is taken, of the named ones and of some designed for the network. Sets whose scale has fewer than `scaleBits`
   * bits are not chosen automatically.
   */
  readonly bootstrapping?: 'auto' | 'always' | 'never' | BootstrappingOptions
  /**
   * For layers that refresh what they compute (functional steps of neurons): one of `FUNCTIONAL_SETS`, or the margin that a set is designed
   * for. Default: a set designed for the network.
   */
  readonly functional?: {
    /** A name of `FUNCTIONAL_SETS`. */
    readonly set?: string
    /**
     * What `FunctionalDesign.margin` of the set shall be at least, from 1 on. Default: the least of some, from 5.6 to 128, whose plan is sure enough of
     * its neurons' decisions.
     */
    readonly margin?: number
  }
  /**
   * Refuse plans that promise fewer bits than this for every output, relative to its range in the calibration data (absolute
   * bits without calibration). Default 4: an error of a sixteenth of the range. -Infinity takes whatever comes.
   */
  readonly precisionBits?: number
  /**
   * Refuse plans whose estimated peak is above this many bytes. Without it plans of any size are made, as long as one
   * layer does not surely keep more than 96 GiB of ciphertexts, nor all layers make more than 262,144 of them.
   */
  readonly memory?: number
  /**
   * Whether runs keep encoded weights for the next input, or drop them after their last use. Default: they are kept where that
   * fits `memory`. The plan says which, and runs follow it.
   */
  readonly keepWeights?: boolean
  /** Operation times of the machine that will run the plan. */
  readonly costModel?: CostModel
  /** Heeded between layers, and between placements. */
  readonly signal?: AbortSignal
  /** Called as the work goes on: several times from 0 to 1, where several packings, sets or placements are tried. */
  readonly onProgress?: (stage: CompileStage, fraction: number) => void
}

/** What `compile` is at: fitting polynomials, choosing where layers run and ciphertexts are refreshed, or running the plan engine. */
export type CompileStage = 'polynomials' | 'placement' | 'estimate'
