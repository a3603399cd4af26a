import type { Ciphertext } from '@he-ml/ckks-core'
import type { SlotLayout } from './slot-layout.ts'

/** An encrypted tensor: its ciphertexts, all at one level and scale, and where its elements lie. */
export class PackedTensor implements Disposable {
  readonly layout: SlotLayout
  readonly ciphertexts: readonly Ciphertext[]
  constructor(layout: SlotLayout, ciphertexts: readonly Ciphertext[]) {
    this.layout = layout
    this.ciphertexts = ciphertexts
  }
  get level(): number {
    return this.ciphertexts[0]!.level
  }
  get scale(): number {
    return this.ciphertexts[0]!.scale
  }
  dispose(): void {
    for (const ciphertext of this.ciphertexts) ciphertext.dispose()
  }
  [Symbol.dispose](): void {
    this.dispose()
  }
}
