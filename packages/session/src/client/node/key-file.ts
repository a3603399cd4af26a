import { stat } from 'node:fs/promises'

/** Of a client's folder. */
export const KEY_FILE = 'secret.key'

export const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )
