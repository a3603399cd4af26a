import { expect, it } from 'vitest'
import { secureNormals } from './normal-source.ts'

it('draws standard normals', () => {
  const x = secureNormals(100_001)
  const mean = x.reduce((a, b) => a + b, 0) / x.length
  const variance = x.reduce((a, b) => a + b * b, 0) / x.length
  const fourth = x.reduce((a, b) => a + b ** 4, 0) / x.length
  // seven and ten standard errors; all three fail by chance with probability below 1e-10
  expect(Math.abs(mean)).toBeLessThan(7 / Math.sqrt(x.length))
  expect(Math.abs(variance - 1)).toBeLessThan(7 * Math.sqrt(2 / x.length))
  expect(Math.abs(fourth - 3)).toBeLessThan(10 * Math.sqrt(96 / x.length))
})
