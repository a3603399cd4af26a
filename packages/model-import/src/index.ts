/**
 * ONNX and safetensors to HE-ML models.
 *
 * @packageDocumentation
 */
export { importOnnx, type OnnxOptions, parseOnnx } from './onnx/import-onnx.ts'
export type { ModelSource } from './read-bytes.ts'
export {
  encodeSafetensors,
  type NamedTensor,
  parseSafetensors,
  type SafetensorsType,
} from './safetensors/safetensors.ts'
