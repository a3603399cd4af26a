import { checkArgument, type PlanContract, publicationBound } from '@he-ml/ckks-core'
import { parametersOf } from './plan.ts'
import { planCheck } from './plan-check.ts'
import type { Plan } from './plan-form.ts'

/**
 * What a client holds its inputs and the results to. Keep it beside the key from the start: whoever publishes results makes the
 * plan, or has it from somebody trusted with the key, for the noise that hides its error follows from what it promises.
 *
 * @throws SecurityError when the plan's parameters are not 128-bit secure; FormatError for numbers that are no parameters
 * @example
 * ```ts
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compile, contractOf } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const plan = await compile(model)
 * const { input, output, errorBound } = contractOf(plan)
 * console.log(input.level, output.level, errorBound)
 * ```
 */
export function contractOf(plan: Plan): PlanContract {
  checkArgument('contractOf', 'plan', plan, planCheck.plan)
  const { input, output, report } = plan
  const end = ({ level, scale, slots, ciphertexts }: Plan['output']) => ({ level, scale, slots, ciphertexts })
  return {
    plan: plan.id,
    parameters: parametersOf(plan).id,
    input: { ...end(input), ...(input.range ? { range: { ...input.range } } : {}) },
    output: end(output),
    errorBound: publicationBound(2 ** -report.precisionBits),
  }
}
