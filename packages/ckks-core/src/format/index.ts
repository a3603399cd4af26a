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
  AnyHeader,
  CiphertextHeader,
  CiphertextObject,
  EncapsulationKeyHeader,
  EvaluationKeyEntry,
  EvaluationKeyKind,
  FileHeader,
  FileKind,
  GaloisKeyHeader,
  Given,
  HeaderInput,
  HeaderOf,
  KeyFileEntry,
  KeySetHeader,
  PlanHeader,
  Publication,
  PublicKeyHeader,
  RelinearizationKeyHeader,
  ResultHeader,
  ResultTensor,
  SecretKeyHeader,
  SwitchingKeyHeader,
} from './header.ts'
export * from './residues.ts'
export type { SchemaFields } from './schema-fields.ts'
export { isSecretKeyStart, SECRET_KEY_START_BYTES } from './secret-key-start.ts'
export * from './segment-shape.ts'
export { selectKeyFiles, type WantedKeyFile } from './select-key-files.ts'
export { sha256 } from './sha256.ts'
export { toHex } from './to-hex.ts'
