/** Arithmetic modulo 2^64 on pairs of 32-bit halves; every half is a signed 32-bit integer. */
export interface Word64 {
  readonly high: number
  readonly low: number
}

export const word = (high: number, low: number): Word64 => ({ high: high | 0, low: low | 0 })

export function add(a: Word64, b: Word64): Word64 {
  const low = (a.low + b.low) | 0
  const carry = low >>> 0 < a.low >>> 0 ? 1 : 0
  return { high: (a.high + b.high + carry) | 0, low }
}

/** The low half's product takes 64 bits: by halves of 16 bits, whose products and sums of three stay below 2^53. */
export function multiply(a: Word64, b: Word64): Word64 {
  const [a0, a1] = [a.low & 0xffff, a.low >>> 16]
  const [b0, b1] = [b.low & 0xffff, b.low >>> 16]
  const lowest = a0 * b0
  const middle = a1 * b0 + a0 * b1 + Math.floor(lowest / 0x1_0000)
  const carried = a1 * b1 + Math.floor(middle / 0x1_0000)
  return {
    high: (Math.imul(a.high, b.low) + Math.imul(a.low, b.high) + (carried | 0)) | 0,
    low: Math.imul(a.low, b.low),
  }
}

export const xor = (a: Word64, b: Word64): Word64 => ({ high: a.high ^ b.high, low: a.low ^ b.low })

/** To the left. @param bits 1 to 31 */
export const rotate = (a: Word64, bits: number): Word64 => ({
  high: (a.high << bits) | (a.low >>> (32 - bits)),
  low: (a.low << bits) | (a.high >>> (32 - bits)),
})

/** Without the sign. @param bits 1 to 63 */
export const shiftRight = (a: Word64, bits: number): Word64 =>
  bits >= 32
    ? { high: 0, low: (a.high >>> (bits - 32)) | 0 }
    : { high: (a.high >>> bits) | 0, low: (a.low >>> bits) | (a.high << (32 - bits)) }
