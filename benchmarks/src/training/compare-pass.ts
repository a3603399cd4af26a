/** Before anything is timed: one batch through both networks with the same weights, and how far the results are apart. */
import { createLoss, type LabelledData, meanOverTime, type Network } from '@he-ml/snn-training'
import { encodeTensor, type PeerTask, peerPasses } from './pytorch.ts'

export interface PassDifference {
  /** The peer's way to write it. */
  readonly ways: string
  /** |ours - theirs|. */
  readonly loss: number
  /** Largest |ours - theirs|. */
  readonly scores: number
  /** Largest over the parameters of ||ours - theirs|| / ||ours||. */
  readonly gradients: number
}

/** One entry for each way that the peer tries. Uses the network's statistics, so give one that is not needed any more. */
export async function comparePasses(
  python: string,
  network: Network,
  task: PeerTask,
  data: LabelledData,
): Promise<PassDifference[]> {
  const size = data.shape.reduce((product, length) => product * length, 1)
  const images = new Float32Array(data.count * size)
  const labels = Array.from({ length: data.count }, (_, i) => data.label(i))
  for (let i = 0; i < data.count; i++) data.read(i, images.subarray(i * size, (i + 1) * size))
  const weights = network.parameters.map(({ name, shape, value }) => [
    name,
    encodeTensor(shape, Float32Array.from(value)),
  ])
  const theirs = await peerPasses(python, {
    ...task,
    images: encodeTensor([data.count, ...data.shape], images),
    labels,
    weights: Object.fromEntries(weights),
  })
  const input = { data: images, steps: 1, batch: data.count, shape: data.shape }
  const output = await network.forward(input, { training: true })
  const scores = meanOverTime(output)
  const { loss, gradient } = createLoss({ kind: 'crossEntropy' })(output, labels)
  await network.backward(gradient)
  return theirs.map((pass) => ({
    ways: Object.values(pass.ways).join(' '),
    loss: Math.abs(loss - pass.loss),
    scores: Math.max(...Array.from(scores, (s, i) => Math.abs(s - pass.scores[i]!))),
    gradients: Math.max(
      ...network.parameters.map(({ name, gradient: ours }) => relativeDistance(ours, pass.gradients.get(name)!)),
    ),
  }))
}

/** ||a - b|| / ||a|| */
export function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [difference, size] = [0, 0]
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    difference += (a[i]! - b[i]!) ** 2
    size += a[i]! ** 2
  }
  return Math.sqrt(difference / size)
}
