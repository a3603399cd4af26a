/** Functions of single elements over batches: each computed in double precision and rounded once. */
import type { FloatBatch } from '@he-ml/float-kernels'

/** outputFactor * f(x / inputFactor); `relu` stands for its function, which is worth a loop without calls. */
export function mapBatch(
  batch: FloatBatch,
  f: ((x: number) => number) | 'relu',
  { inputFactor = 1, outputFactor = 1 } = {},
): FloatBatch {
  const { data } = batch
  const output = new Float32Array(data.length)
  if (f === 'relu') for (let i = 0; i < data.length; i++) output[i] = outputFactor * Math.max(data[i]! / inputFactor, 0)
  else for (let i = 0; i < data.length; i++) output[i] = outputFactor * f(data[i]! / inputFactor)
  return { ...batch, data: output }
}

export function squareBatch(batch: FloatBatch): FloatBatch {
  const { data } = batch
  const output = new Float32Array(data.length)
  for (let i = 0; i < data.length; i++) output[i] = data[i]! * data[i]!
  return { ...batch, data: output }
}

export function addBatches(a: FloatBatch, b: FloatBatch): FloatBatch {
  const [left, right] = [a.data, b.data]
  const output = new Float32Array(left.length)
  for (let i = 0; i < left.length; i++) output[i] = left[i]! + right[i]!
  return { ...a, data: output }
}
