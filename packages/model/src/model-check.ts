/** Whether arguments are what this package makes; by what they have, not by their class: two copies of a package have two. */
import { type OptionCheck, optionCheck } from '@he-ml/ckks-core'

const isObject = (value: unknown): value is Record<string, unknown> => optionCheck.object(value) === undefined

const tensor: OptionCheck = (value) =>
  isObject(value) && Array.isArray(value.shape) && isFloat64Array(value.data)
    ? undefined
    : 'a tensor, as createTensor makes one'

const isFloat64Array = (value: unknown): boolean => Object.prototype.toString.call(value) === '[object Float64Array]'

/** Kinds of arguments. */
export const modelCheck = Object.freeze({
  /** A {@link Model}. */
  model: ((value) =>
    isObject(value) && Array.isArray(value.nodes) && isObject(value.input) && value.shapes instanceof Map
      ? undefined
      : 'a Model, as `new Model` or an import makes one') as OptionCheck,
  /** A {@link Tensor}. */
  tensor,
  /** A list of tensors. */
  tensors: ((value) =>
    Array.isArray(value) && value.every((item) => tensor(item) === undefined)
      ? undefined
      : 'a list of tensors, as createTensor makes them') as OptionCheck,
  /** A Float64Array. */
  vector: ((value) => (isFloat64Array(value) ? undefined : 'a Float64Array (Float64Array.from)')) as OptionCheck,
  /** A layer of a model. */
  layer: ((value) =>
    isObject(value) &&
    typeof value.name === 'string' &&
    (typeof value.forward === 'function' || typeof value.forwardAll === 'function')
      ? undefined
      : 'a layer, as those of nn-layers and snn-layers') as OptionCheck,
})
