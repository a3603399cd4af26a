/** Every value of a model in the clear. */
import { forwardApproximate, isMultiOutput, type Model, type Tensor } from '@he-ml/model'

/** By name, as the encrypted network computes them: with polynomials, and held times their factors. @param model of a bound plan */
export function approximateValues(model: Model, input: Tensor): ReadonlyMap<string, Tensor> {
  const values = new Map<string, Tensor>()
  model.evaluate(input, (node, given) => {
    const results = forwardApproximate(node.layer, given)
    for (const [i, result] of results.entries()) values.set(node.values[i]!, result)
    return results
  })
  return values
}

/** By name, with the exact functions; of a model over time those of its last step. */
export function exactValues(model: Model, input: Tensor): ReadonlyMap<string, Tensor> {
  const values = new Map<string, Tensor>()
  model.evaluate(input, ({ layer, values: names }, given) => {
    const results = isMultiOutput(layer) ? layer.forwardAll(given) : [layer.forward(given)]
    for (const [i, result] of results.entries()) values.set(names[i]!, result)
    return results
  })
  return values
}
