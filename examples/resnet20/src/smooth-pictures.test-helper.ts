/** Pictures of a few slow waves: natural enough for a network of quadratics, which noise would drive out of its range. */

/** `count` pictures of 3 x 32 x 32 bytes, always the same. */
export function smoothPictures(count: number): Uint8Array[] {
  const next = uniform(1)
  return Array.from({ length: count }, () => {
    const channels = Array.from({ length: 3 }, () => Array.from({ length: 4 }, () => wave(next)))
    return Uint8Array.from({ length: 3 * 1024 }, (_, i) => {
      const [y, x] = [Math.floor(i / 32) % 32, i % 32]
      return 128 + channels[Math.floor(i / 1024)]!.reduce((sum, at) => sum + at(x, y), 0)
    })
  })
}

/** Up to 25 of 255, less than two periods a side. */
function wave(next: () => number): (x: number, y: number) => number {
  const [height, u, v, phase] = [25 * next(), 3 * (next() - 0.5), 3 * (next() - 0.5), next()]
  return (x, y) => height * Math.cos(2 * Math.PI * ((u * x + v * y) / 32 + phase))
}

/** Lehmer's generator (Park and Miller, 1988): in (0, 1). */
function uniform(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
