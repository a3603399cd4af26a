/** A folder with the files of MNIST, full of generated digits: a 5 x 3 font, four pixels a dot, moved about, with noise. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeIdx } from '@he-ml/datasets'
import { RandomStream } from '@he-ml/snn-training'

const FONT = [
  '111101101101111',
  '010110010010111',
  '111001111100111',
  '111001111001111',
  '101101111001001',
  '111100111001111',
  '111100111101111',
  '111001001001001',
  '111101111101111',
  '111101111001111',
]

/** @returns the folder */
export function toyMnist(training: number, test: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'toy-mnist-'))
  for (const [prefix, count] of [
    ['train', training],
    ['t10k', test],
  ] as const) {
    const { pixels, labels } = toyDigits(count, count)
    const images = encodeIdx({ type: 'uint8', shape: [count, 28, 28], data: pixels })
    writeFileSync(join(folder, `${prefix}-images-idx3-ubyte`), images)
    const classes = encodeIdx({ type: 'uint8', shape: [count], data: labels })
    writeFileSync(join(folder, `${prefix}-labels-idx1-ubyte`), classes)
  }
  return folder
}

/** Labels in turn. */
function toyDigits(count: number, seed: number): { readonly pixels: Uint8Array; readonly labels: Uint8Array } {
  const random = new RandomStream(seed)
  const pixels = new Uint8Array(count * 784)
  for (let n = 0; n < count; n++) {
    const [top, left] = [2 + random.below(5), 6 + random.below(5)]
    for (let y = 0; y < 28; y++)
      for (let x = 0; x < 28; x++) {
        const [row, column] = [Math.floor((y - top) / 4), Math.floor((x - left) / 4)]
        const isInk = row >= 0 && row < 5 && column >= 0 && column < 3 && FONT[n % 10]![row * 3 + column] === '1'
        pixels[n * 784 + y * 28 + x] = (isInk ? 200 : 0) + random.below(40)
      }
  }
  return { pixels, labels: Uint8Array.from({ length: count }, (_, n) => n % 10) }
}
