/**
 * ONNX to HE-ML models; NIR graphs, read and written.
 *
 * @packageDocumentation
 */
export { inferShapes, orderNodes } from './nir/graph.ts'
export { encodeNir, importNir, type NirOptions, type NirWriteOptions } from './nir/nir.ts'
export { neuronConstants, neuronRecurrence, type Recurrence, type RecurrenceOptions } from './nir/recurrence.ts'
export { type NirModelOptions, spikingModelOfNir } from './nir/spiking-model.ts'
export type {
  NirAffine,
  NirArray,
  NirAvgPool2d,
  NirConv2d,
  NirFlatten,
  NirGraph,
  NirIf,
  NirInput,
  NirLi,
  NirLif,
  NirLinear,
  NirNode,
  NirOutput,
  NirPair,
  NirQif,
  NirSumPool2d,
} from './nir/types.ts'
export { importOnnx, type OnnxOptions, parseOnnx } from './onnx/import-onnx.ts'
export type { ModelSource } from './read-bytes.ts'
