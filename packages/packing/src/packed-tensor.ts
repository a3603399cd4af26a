import type { Ciphertext } from '@he-ml/ckks-core'
import type { SlotLayout } from './slot-layout.ts'

/** An encrypted tensor: its ciphertexts, all at one level and scale, and where its elements lie. */
export class PackedTensor implements Disposable {
  /** Where its elements lie. */
  readonly layout: SlotLayout
  /** As many as the layout says. */
  readonly ciphertexts: readonly Ciphertext[]
  constructor(layout: SlotLayout, ciphertexts: readonly Ciphertext[]) {
    this.layout = layout
    this.ciphertexts = ciphertexts
  }
  /** Level of all its ciphertexts. */
  get level(): number {
    return this.ciphertexts[0]!.level
  }
  /** Scale of all its ciphertexts. */
  get scale(): number {
    return this.ciphertexts[0]!.scale
  }
  /** Disposes of all its ciphertexts. */
  dispose(): void {
    for (const ciphertext of this.ciphertexts) ciphertext.dispose()
  }
  [Symbol.dispose](): void {
    this.dispose()
  }
}
