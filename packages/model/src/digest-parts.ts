/** Bytes for `Layer.digestParts`, the same on every machine. */

/** Little-endian doubles; both zeros are one. */
export function digestNumbers(values: Float64Array | Float32Array | readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < values.length; i++) view.setFloat64(8 * i, values[i]! + 0, true)
  return bytes
}

/** Plain JSON as text. */
export const digestText = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
