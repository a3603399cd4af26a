export { scaled } from './scaled.ts'
export {
  NEURONS,
  type NeuronModel,
  type NeuronName,
  type SpikingLenet5Options,
  spikingLenet5,
} from './spiking-lenet5.ts'
export { strided } from './strided.ts'
