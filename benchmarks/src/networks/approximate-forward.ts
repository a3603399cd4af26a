import { isCalibrated, type Model, type Tensor } from '@he-ml/packing'

/** The clear result with the activations' polynomials in place: what the encrypted network computes, without encryption. */
export function approximateForward(model: Model, input: Tensor): Tensor {
  const values = new Map<string, Tensor>([[model.input.name, input]])
  for (const { layer, inputs } of model.nodes) {
    const given = inputs.map((name) => values.get(name)!)
    values.set(layer.name, isCalibrated(layer) ? layer.forwardApproximate(given) : layer.forward(given))
  }
  return values.get(model.output)!
}
