import { forwardApproximate, type Model, type Tensor } from '@he-ml/model'

/** The clear result with the activations' polynomials in place: what the encrypted network computes, without encryption. */
export function approximateForward(model: Model, input: Tensor): Tensor {
  return model.evaluate(input, ({ layer }, given) => forwardApproximate(layer, given))
}
