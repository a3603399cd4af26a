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

/** Nearest IEEE 754 binary16 bit pattern, ties to even; too large values become infinite. */
export function float16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (size >= 65520) return sign | 0x7c00
  // units in the last place: 2^-24 below the normal numbers, else 2^-10 of the power of two below
  const exponent = Math.max(-14, size === 0 ? -14 : floorLog2(size))
  const scaled = size / 2 ** (exponent - 10)
  const low = Math.floor(scaled)
  const rest = scaled - low
  const rounded = rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low
  // a carry out of the fraction moves into the exponent by itself
  return sign | (exponent === -14 ? rounded : ((exponent + 14) << 10) + rounded)
}

function floorLog2(size: number): number {
  const guess = Math.floor(Math.log2(size))
  return 2 ** guess > size ? guess - 1 : 2 ** (guess + 1) <= size ? guess + 1 : guess
}
