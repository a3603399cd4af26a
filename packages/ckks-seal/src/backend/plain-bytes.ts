/**
 * The same bytes under the plain class, at their own offset. node-seal 7 takes a Uint8Array and no class derived from it, and
 * everything that comes from a file or a socket of Node is a Buffer.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return Object.getPrototypeOf(bytes) === Uint8Array.prototype
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
