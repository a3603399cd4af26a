/**
 * The client's side of the native engine: secret keys, encryption, decryption. Not for servers.
 *
 * @module client
 */

export { type MachineCosts, machineCostModel, parseMachineCosts } from './machine-costs/machine-costs.ts'
export { type MeasureOptions, measureMachine } from './machine-costs/measure-machine.ts'
export { createNativeClient, NativeClient, type NativeClientOptions } from './native-client.ts'
