/** Bytes for people. */
export const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`
