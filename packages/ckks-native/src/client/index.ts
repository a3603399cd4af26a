/**
 * The client's side of the native engine: secret keys, encryption, decryption. Not for servers.
 *
 * @packageDocumentation
 */

export {
  type MachineCosts,
  type MeasureOptions,
  machineCostModel,
  measureMachine,
  parseMachineCosts,
} from './measure-cost-model.ts'
export { createNativeClient, NativeClient, type NativeClientOptions } from './native-client.ts'
