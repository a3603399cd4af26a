/**
 * MNIST (IDX), CIFAR binary and NumPy files, gzip or not, as tensors; recordings of event cameras, read, written and simulated.
 *
 * @packageDocumentation
 */
export { type CifarOptions, parseCifar, readCifar } from './cifar.ts'
export { DatasetFileError, DatasetFormatError, DatasetUnsupportedError } from './errors.ts'
export * from './events/index.ts'
export { combineIdx, type LoadOptions, loadCifar10, loadMnist } from './folders.ts'
export { encodeIdx, type IdxArray, type IdxType, parseIdx, readIdx } from './idx.ts'
export {
  CIFAR_NORMALIZATION,
  type ImageTensor,
  imageTensor,
  type LabelledImages,
  MNIST_NORMALIZATION,
  type Normalization,
  normalize,
  selectImages,
} from './images.ts'
export { type NumpyArray, type NumpyType, parseNumpy, readNumpy } from './numpy.ts'
export type { ReadOptions, Source } from './source.ts'
