/** Where text goes: a terminal, a file, a test. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean }

/** 0.98765 as 98.77 %. */
export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`

/** Seconds as 45 s, 12 min or 3 h 05 min. */
export function time(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?'
  if (seconds < 99.5) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 100) return `${minutes} min`
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}
