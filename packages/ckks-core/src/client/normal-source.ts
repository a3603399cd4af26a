/** Standard normal numbers from the system's entropy: Box and Muller on 53-bit uniforms, |x| below 8.6. */
export function secureNormals(count: number): Float64Array {
  const result = new Float64Array(count)
  const words = new Uint32Array(4)
  for (let i = 0; i < count; i += 2) {
    globalThis.crypto.getRandomValues(words)
    const u = (words[0]! * 2 ** 21 + (words[1]! >>> 11) + 1) * 2 ** -53
    const v = (words[2]! * 2 ** 21 + (words[3]! >>> 11)) * 2 ** -53
    const radius = Math.sqrt(-2 * Math.log(u))
    result[i] = radius * Math.cos(2 * Math.PI * v)
    if (i + 1 < count) result[i + 1] = radius * Math.sin(2 * Math.PI * v)
  }
  return result
}
