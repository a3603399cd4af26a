/**
 * The client's side of the native engine: secret keys, encryption, decryption. Not for servers.
 *
 * @packageDocumentation
 */
export { createNativeClient, NativeClient } from './native-client.ts'
