/** Generated digits in MNIST's four files. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const SIDE = 28

/** A bright bar whose place tells the label, on noise that differs from sample to sample. */
function image(index: number): Uint8Array {
  const label = index % 10
  const pixels = new Uint8Array(SIDE * SIDE)
  for (let i = 0; i < pixels.length; i++) pixels[i] = (Math.imul(i + 1, index + 7919) >>> 3) % 40
  for (let row = 4; row < 24; row++)
    for (let column = 0; column < 3; column++) pixels[row * SIDE + 2 * label + 4 + column] = 230
  return pixels
}

const header = (...numbers: readonly number[]) => Buffer.from(Uint32Array.from(numbers).buffer).swap32()

/** Writes so many training digits, and test digits that follow them. */
export function writeDigits(folder: string, training: number, test: number): void {
  mkdirSync(folder, { recursive: true })
  const write = (prefix: string, first: number, count: number) => {
    const indices = Array.from({ length: count }, (_, i) => first + i)
    const images = [header(0x803, count, SIDE, SIDE), ...indices.map(image)]
    writeFileSync(join(folder, `${prefix}-images-idx3-ubyte`), Buffer.concat(images))
    const labels = Uint8Array.from(indices, (index) => index % 10)
    writeFileSync(join(folder, `${prefix}-labels-idx1-ubyte`), Buffer.concat([header(0x801, count), labels]))
  }
  write('train', 0, training)
  write('t10k', training, test)
}
