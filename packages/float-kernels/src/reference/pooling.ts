/** Pooling in plain nested loops: a call per window would cost more than its sum. */
import { outputSize } from '../port/matrix-tasks.ts'
import type { AveragePool, AveragePoolBackward, MaxPool, MaxPoolBackward, PoolSizes } from '../port/pool-tasks.ts'

/** Results of a plane. */
const resultSize = ({ height, width, kernel, stride }: PoolSizes): readonly [rows: number, columns: number] => [
  outputSize(height, kernel, stride, 0),
  outputSize(width, kernel, stride, 0),
]

export function averageWindows(task: AveragePool): void {
  const { planes, height, width, kernel, stride, input, output } = task
  const [rows, columns] = resultSize(task)
  const area = kernel * kernel
  let to = 0
  for (let plane = 0; plane < planes; plane++)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const corner = (plane * height + row * stride) * width + column * stride
        let sum = 0
        for (let y = corner; y < corner + kernel * width; y += width)
          for (let x = y; x < y + kernel; x++) sum += input[x]!
        output[to++] = sum / area
      }
}

export function spreadWindows(task: AveragePoolBackward): void {
  const { planes, height, width, kernel, stride, outputGradient, inputGradient } = task
  const [rows, columns] = resultSize(task)
  const area = kernel * kernel
  inputGradient.fill(0)
  let from = 0
  for (let plane = 0; plane < planes; plane++)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const corner = (plane * height + row * stride) * width + column * stride
        const share = outputGradient[from++]! / area
        for (let y = corner; y < corner + kernel * width; y += width)
          for (let x = y; x < y + kernel; x++) inputGradient[x] = inputGradient[x]! + share
      }
}

export function largestOfWindows(task: MaxPool): void {
  const { planes, height, width, kernel, stride, input, output, winners } = task
  const [rows, columns] = resultSize(task)
  let to = 0
  for (let plane = 0; plane < planes; plane++)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++, to++) {
        let best = (plane * height + row * stride) * width + column * stride
        for (let y = best, end = best + kernel * width; y < end; y += width)
          for (let x = y; x < y + kernel; x++) if (input[x]! > input[best]!) best = x
        output[to] = input[best]!
        winners[to] = best
      }
}

export function rewardWinners({ outputGradient, winners, inputGradient }: MaxPoolBackward): void {
  inputGradient.fill(0)
  for (let i = 0; i < winners.length; i++) inputGradient[winners[i]!] = inputGradient[winners[i]!]! + outputGradient[i]!
}
