export * from './check-header.ts'
export {
  beginContainer,
  type Container,
  type ContainerStart,
  encodeContainer,
  finishContainer,
  parseContainer,
} from './container.ts'
export { canonicalJson, contentHash } from './content-hash.ts'
export { assertFileParameters } from './file-security.ts'
export type {
  CiphertextObject,
  EvaluationKeyEntry,
  EvaluationKeyKind,
  FileHeader,
  FileKind,
  HeaderInput,
  HeaderOf,
  KeyFileEntry,
} from './header.ts'
export * from './residues.ts'
export * from './segment-shape.ts'
export { selectKeyFiles, type WantedKeyFile } from './select-key-files.ts'
export { sha256 } from './sha256.ts'
export { toHex } from './to-hex.ts'
