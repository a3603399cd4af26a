import {
  CancelledError,
  checkLaneOptions,
  DisposedError,
  type Engine,
  type Lane,
  type LaneOptions,
} from '@he-ml/ckks-core'
import type { BindingEngine, BindingLane } from './binding.ts'
import { native, nativeAsync } from './errors.ts'
import { NativeEvaluator } from './native-evaluator.ts'
import type { Origin } from './origin.ts'

/** The engine that a lane is of, with what its lanes are made from. */
interface LaneEngine extends Engine {
  readonly origin: Origin
  readonly binding: BindingEngine
}

/** A scope of the compiled engine's queue; see `Lane` in ckks-core. */
export class NativeLane extends NativeEvaluator implements Lane {
  readonly engine: Engine
  override readonly threads: number
  /** @internal */
  readonly origin: Origin
  readonly #lane: BindingLane
  readonly #signal: AbortSignal | undefined
  #closed = false

  /** @internal use `openLane` */
  constructor(engine: LaneEngine, options: LaneOptions) {
    super(engine.parameters, engine)
    checkLaneOptions(options)
    this.engine = engine
    this.threads = engine.threads
    this.origin = engine.origin
    this.#signal = options.signal
    this.#lane = native(() => engine.binding.openLane({ ceilingBytes: options.memory ?? 0 }))
    this.#signal?.addEventListener('abort', this.#abort, { once: true })
  }

  /** @internal */
  get lane(): BindingLane {
    if (this.#closed) throw new DisposedError('the lane was disposed of before')
    return this.#lane
  }

  override queue<T>(call: (lane: BindingLane) => T): T {
    if (this.#signal?.aborted) throw new CancelledError('the lane was cancelled', { cause: this.#signal.reason })
    return super.queue(call)
  }

  override openLane(options: LaneOptions = {}): Lane {
    return this.engine.openLane(options)
  }

  /** Harmless after `dispose()`. */
  cancel(): void {
    if (!this.#closed) native(() => this.#lane.cancel())
  }

  async dispose(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#signal?.removeEventListener('abort', this.#abort)
    await nativeAsync(() => this.#lane.close())
  }

  readonly #abort = (): void => this.cancel()
}
