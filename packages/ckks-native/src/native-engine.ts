/** The compiled engine: its threads, its memory, its keys, and the lanes that share them. */
import { type AnyParameters, InvalidArgumentError, type Lane, type LaneOptions } from '@he-ml/ckks-core'
import type { BindingEngine } from './binding.ts'
import { native, nativeAsync } from './errors.ts'
import { kernels } from './kernels.ts'
import { LoadedKeys } from './keys/loaded-keys.ts'
import { loadNative } from './loader.ts'
import { NativeEvaluator } from './native-evaluator.ts'
import { NativeLane } from './native-lane.ts'
import type { Origin } from './origin.ts'
import { bindingSpec } from './spec.ts'

/** Options of {@link createNativeEngine}. */
export interface NativeEngineOptions {
  /** Worker threads; default: the machine's cores. */
  readonly threads?: number
  /** Bytes above which no further operation starts while another runs; default none. */
  readonly memoryCeiling?: number
}

const MAX_THREADS = 1024

/** @throws InvalidArgumentError */
export function checkEngineOptions({ threads = 0, memoryCeiling = 0 }: NativeEngineOptions): {
  readonly threads: number
  readonly ceilingBytes: number
} {
  if (!(Number.isInteger(threads) && threads >= 0 && threads <= MAX_THREADS))
    throw new InvalidArgumentError(
      `threads: expected an integer from 1 to ${MAX_THREADS}, or 0 for all, got ${threads}`,
    )
  if (!(Number.isSafeInteger(memoryCeiling) && memoryCeiling >= 0))
    throw new InvalidArgumentError(`memoryCeiling: expected a number of bytes, or 0 for none, got ${memoryCeiling}`)
  return { threads, ceilingBytes: memoryCeiling }
}

/** See {@link createNativeEngine}. */
export class NativeEngine extends NativeEvaluator {
  /** Kernel in use: 'avx512ifma', 'avx2' or 'scalar'. */
  readonly kernel: string
  /** Worker threads. */
  override readonly threads: number
  /** For this package's own modules. @internal */
  readonly binding: BindingEngine
  /** @internal */
  readonly keys: LoadedKeys
  /** @internal */
  readonly origin: Origin
  #closed = false

  constructor(parameters: AnyParameters, options: NativeEngineOptions = {}) {
    super(parameters)
    const checked = checkEngineOptions(options)
    const { Engine } = loadNative()
    this.kernel = kernels().active
    this.binding = native(() => new Engine(bindingSpec(parameters), checked))
    this.threads = this.binding.threads
    this.keys = new LoadedKeys(parameters, this.binding)
    this.origin = { owner: this, binding: this.binding, keys: this.keys }
  }

  /** @internal */
  get lane(): BindingEngine {
    return this.binding
  }

  override openLane(options: LaneOptions = {}): Lane {
    return new NativeLane(this, options)
  }

  /** Forgets all evaluation keys, so that those of another secret key may be loaded. Queued operations keep theirs. */
  unloadKeys(): void {
    this.keys.unloadAll()
  }

  /** Harmless after `dispose()`, which cancels too. */
  cancel(): void {
    if (!this.#closed) native(() => this.binding.cancel())
  }
  /** Gives free memory back to the system. */
  trim(): void {
    native(() => this.binding.trim())
  }
  /** Cancels what has not started, lanes included, waits for what has, and gives keys and threads back. Twice is harmless. */
  async dispose(): Promise<void> {
    this.#closed = true
    this.keys.close()
    await nativeAsync(() => this.binding.close())
  }
}

/**
 * Opens the compiled engine.
 *
 * @throws UnsupportedError when it cannot be loaded; the message lists what was tried
 */
export function createNativeEngine(parameters: AnyParameters, options: NativeEngineOptions = {}): NativeEngine {
  return new NativeEngine(parameters, options)
}
