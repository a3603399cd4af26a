/** Bytes for people: GiB, or MiB where these are few. */
export const gib = (bytes: number): string =>
  bytes < 2 ** 29 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(2)} GiB`
