/** Random activations with parameters, in the spelling of the operator set. */
import type { Step } from './random-steps.ts'

/** What every operator set read here has. */
const OLD = ['LeakyRelu', 'Elu', 'HardSigmoid', 'Softplus', 'PRelu', 'Clip'] as const

export const bent: Step = (s, v) => {
  const op = s.opset >= 14 && s.chance(0.2) ? 'HardSwish' : s.pick(OLD)
  const alpha = { alpha: { float: s.pick([0.125, 0.5, 1]) } }
  const bound = (value: number): string => s.constant({ dims: [], data: [value] })
  if (op === 'Clip') {
    const name =
      s.opset < 11
        ? s.node('Clip', [v.name], { min: { float: -0.25 }, max: { float: 1 } })
        : s.node('Clip', [v.name, s.chance(0.5) ? bound(-0.25) : '', bound(1)])
    return s.value(name, v.dims)
  }
  if (op === 'PRelu') {
    if (v.dims.length < 2) return undefined
    const slope = s.chance(0.4) ? [1] : [v.dims[1]!, ...v.dims.slice(2).map(() => 1)]
    return s.value(s.node('PRelu', [v.name, s.constant(s.numbers(slope))]), v.dims)
  }
  const plain = op === 'Softplus' || op === 'HardSwish' || s.chance(0.3)
  return s.value(s.node(op, [v.name], plain ? undefined : alpha), v.dims)
}
