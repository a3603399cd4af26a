import { InvalidArgumentError } from '../errors/errors.ts'

/**
 * Collects temporaries and disposes of them together, the last made first.
 *
 * @example
 * ```ts
 * import { createClearEngine, createParameters, Scope } from '@he-ml/ckks-core'
 * const engine = createClearEngine(createParameters({ logN: 13, levels: 2, scaleBits: 30 }))
 * const temporaries = new Scope()
 * const x = temporaries.use(engine.encryptClear(Float64Array.of(1, 2)))
 * const sum = engine.add(x, temporaries.use(engine.rotate(x, 1)))
 * temporaries.dispose()
 * console.log(x.disposed, sum.disposed) // true false
 * ```
 */
export class Scope implements Disposable {
  readonly #items = new Set<Disposable>()

  /** Hands a temporary to the scope; returns it. */
  use<T extends Disposable>(item: T): T {
    this.#items.add(item)
    return item
  }
  /** Takes an item out again: it outlives the scope. */
  keep<T extends Disposable>(item: T): T {
    this.#items.delete(item)
    return item
  }
  /** Takes everything out, in the order in which it came. */
  release<T extends Disposable>(): T[] {
    const items = [...this.#items] as T[]
    this.#items.clear()
    return items
  }
  /** Disposes of everything in it, the latest first; the scope is empty afterwards. */
  dispose(): void {
    for (const item of [...this.#items].reverse()) item[Symbol.dispose]()
    this.#items.clear()
  }
  [Symbol.dispose](): void {
    this.dispose()
  }
}

/**
 * Runs `body` and disposes of every handle it passed to `use`, also when it throws. A used handle that `body` returns
 * (alone or in an array) is kept.
 *
 * @throws InvalidArgumentError when `body` is asynchronous: its temporaries would be gone before it ends
 */
export function scope<R>(body: (use: <T extends Disposable>(temporary: T) => T) => R): R {
  const temporaries = new Scope()
  try {
    const result = body((temporary) => temporaries.use(temporary))
    if (result instanceof Promise)
      throw new InvalidArgumentError('scope: the body must not be asynchronous; use `new Scope()` and dispose of it')
    for (const item of Array.isArray(result) ? result : [result]) temporaries.keep(item as Disposable)
    return result
  } finally {
    temporaries.dispose()
  }
}
