/** What a layer says of constants that may be moved into it or out of it, tried out. */
import { createTensor, isCalibrated, type Layer, type Tensor } from '@he-ml/model'
import { largestDifference } from './random-tensor.ts'

/** Powers of two: what they multiply is rounded as before. */
const FACTORS = [0.5, -2]

interface Trial {
  readonly layer: Layer
  readonly inputs: readonly Tensor[]
  /** Relative to the largest value. */
  readonly tolerance: number
}

export function factorFindings({ layer, inputs, tolerance }: Trial): string[] {
  const output = layer.forward(inputs)
  const findings: string[] = []
  const expect = (what: string, got: Tensor, wanted: Tensor): void => {
    const size = wanted.data.reduce((most, v) => Math.max(most, Math.abs(v)), 1)
    const difference = largestDifference(got, wanted) / size
    if (!(difference <= tolerance))
      findings.push(`${what}: differs by ${difference.toExponential(2)} of the largest value`)
  }
  for (const f of FACTORS) {
    const outer = layer.scaleOutput?.(f)
    if (outer) {
      expect(`scaleOutput(${f}) is not ${f} times forward`, outer.forward(inputs), times(output, f))
      if (digestOf(outer) === digestOf(layer)) findings.push(`scaleOutput(${f}) has the digest of the layer itself`)
    }
    const inner = layer.scaleInput?.(f)
    if (inner)
      expect(
        `scaleInput(${f}) is not forward of ${f} times the input`,
        inner.forward(inputs),
        layer.forward(all(inputs, f)),
      )
    if (layer.homogeneous) expect(`homogeneous, but not for ${f}`, layer.forward(all(inputs, f)), times(output, f))
    if (isCalibrated(layer) && layer.calibrated)
      expect(`withInputFactor(${f})`, layer.withInputFactor(f).forward(all(inputs, f)), output)
  }
  const apart = layer.factored?.(inputs.map(({ shape }) => shape))
  if (apart) expect('factored', times(apart.layer.forward(inputs), apart.factor), output)
  if (layer.channelwise && inputs.every(({ shape }) => shape[0] === output.shape[0]))
    expect('channelwise', layer.forward(inputs.map(perChannel)), perChannel(output))
  return [...findings, ...formFindings(layer, inputs)]
}

/** What calibration decided, through a file. */
function formFindings(layer: Layer, inputs: readonly Tensor[]): string[] {
  if (!isCalibrated(layer)) return []
  if (!layer.fittedForm) return ['it has no fitted form: calibrate it before the check']
  const again = layer.withFittedForm(JSON.parse(JSON.stringify(layer.fittedForm)))
  const difference = largestDifference(again.forwardApproximate(inputs), layer.forwardApproximate(inputs))
  const findings = digestOf(again) === digestOf(layer) ? [] : ['its fitted form, read back, gives another digest']
  return difference === 0 ? findings : [...findings, 'its fitted form, read back, computes something else']
}

export const digestOf = (layer: Layer): string =>
  layer
    .digestParts()
    .map((part) => [...part].join())
    .join(';')

const times = ({ shape, data }: Tensor, factor: number): Tensor =>
  createTensor(
    shape,
    data.map((v) => v * factor),
  )
const all = (tensors: readonly Tensor[], factor: number): Tensor[] => tensors.map((tensor) => times(tensor, factor))

/** Channel c times a power of two of its own. */
const perChannel = ({ shape, data }: Tensor): Tensor =>
  createTensor(
    shape,
    data.map((v, i) => v * 2 ** ((Math.floor((i * shape[0]!) / data.length) % 5) - 2)),
  )
