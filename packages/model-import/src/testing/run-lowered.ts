/** A model on the clear engine, layer by layer, in a layout: what the encrypted circuits compute. */
import { createClearEngine, insecureParameters, toLevel } from '@he-ml/ckks-core'
import type { Model, Tensor } from '@he-ml/model'
import { lowerLayer, PackedTensor, pack, type SlotLayout, unpack } from '@he-ml/packing'

export async function runLowered(model: Model, image: Tensor, layout: SlotLayout): Promise<Tensor> {
  const parameters = insecureParameters({ logN: 10, levels: 12, scaleBits: 40, dnum: 13 })
  const engine = createClearEngine(parameters)
  const encrypted = pack([image], layout).map((v) => engine.encryptClear(v, { level: 12 }))
  const values = new Map([[model.input.name, new PackedTensor(layout, encrypted)]])
  for (const { name, layer, inputs } of model.nodes) {
    const given = inputs.map((i) => values.get(i)!)
    const level = Math.min(...given.flatMap((t) => t.ciphertexts.map((c) => c.level)))
    const lowered = lowerLayer(
      layer,
      given.map((t) => t.layout),
      { maxSlots: 512 },
    )
    const aligned = given.map(
      (t) =>
        new PackedTensor(
          t.layout,
          t.ciphertexts.map((c) => toLevel(engine, c, level)),
        ),
    )
    using prepared = await lowered.prepare(engine, { level })
    values.set(name, (await prepared.apply(engine, aligned))[0]!)
  }
  const last = values.get(model.output)!
  const vectors = last.ciphertexts.map((c) => engine.readClear(c).re)
  return unpack(vectors, last.layout, 1)[0]!
}
