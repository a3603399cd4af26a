/** What a caller gave, in a few words. What never was awaited, and objects of classes, are named as what they are. */
export function shownValue(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    if (typeof (value as Partial<PromiseLike<unknown>>).then === 'function') return 'a promise: await it first'
    if (ArrayBuffer.isView(value)) return `a ${value.constructor.name} of ${value.byteLength} bytes`
    const kind = Object.getPrototypeOf(value)?.constructor?.name
    if (!Array.isArray(value) && kind !== undefined && kind !== 'Object') return `an object of class ${kind}`
  }
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`
  const shown = typeof value === 'number' ? String(value) : asJson(value)
  return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown
}

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    // in a circle, or with integers that JSON has no form for
    return typeof value === 'object' ? `an object with ${Object.keys(value!).join(', ')}` : String(value)
  }
}
