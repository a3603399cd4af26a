import { type KeySource, type OptionCheck, optionCheck } from '@he-ml/ckks-core'

/** Files in memory, or a folder. What is in them is judged when they are opened. */
export const isKeySource: OptionCheck = (value) => {
  if (optionCheck.object(value) === undefined) {
    const { kind, files, path } = value as Partial<KeySource & { files: unknown; path: unknown }>
    if (kind === 'memory' && Array.isArray(files) && files.every((file) => optionCheck.bytes(file) === undefined))
      return undefined
    if (kind === 'folder' && optionCheck.path(path) === undefined) return undefined
  }
  return "keys: what client.evaluationKeys() gives, or { kind: 'folder', path }"
}
