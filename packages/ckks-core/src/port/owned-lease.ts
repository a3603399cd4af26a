import type { KeyLease } from './key-store.ts'
import type { KeyNeed } from './keys.ts'

/** A lease that gives back once, whoever asks how often. @internal */
export class OwnedLease implements KeyLease {
  readonly needs: readonly KeyNeed[]
  readonly bytes: number
  #release: (() => void) | undefined
  constructor(needs: readonly KeyNeed[], bytes: number, release: () => void) {
    this.needs = [...needs]
    this.bytes = bytes
    this.#release = release
  }
  get disposed(): boolean {
    return this.#release === undefined
  }
  dispose(): void {
    const release = this.#release
    this.#release = undefined
    release?.()
  }
  [Symbol.dispose](): void {
    this.dispose()
  }
}
