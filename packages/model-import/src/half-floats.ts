/** Value of an IEEE 754 binary16 bit pattern. */
export function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  if (exponent === 0) return sign * fraction * 2 ** -24
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

const word = new DataView(new ArrayBuffer(4))

/** Value of a bfloat16 bit pattern: the upper half of a binary32. */
export function bfloat16(bits: number): number {
  word.setUint32(0, (bits << 16) >>> 0)
  return word.getFloat32(0)
}
