import { describe, expect, it } from 'vitest'
import { checkOptions, type OptionChecks, optionCheck } from './check-options.ts'
import { InvalidArgumentError } from './errors.ts'

const CHECKS = {
  samples: optionCheck.integer(1),
  share: optionCheck.number(0, 1),
  margin: optionCheck.finite(1),
  how: optionCheck.oneOf('fast', 'exact'),
  signal: optionCheck.signal,
  names: optionCheck.list('a list of names', optionCheck.string),
  inner: optionCheck.fields('call', 'inner.', { deep: optionCheck.boolean }),
  onEnd: optionCheck.callable,
  whole: optionCheck.object,
  any: optionCheck.anything,
}

describe('options', () => {
  it.each([
    {},
    { samples: undefined },
    { samples: 1, share: 0.5, margin: 1, how: 'fast', names: ['a'], inner: { deep: false }, any: null },
    { signal: new AbortController().signal, onEnd: () => {}, whole: {}, inner: {} },
  ])('are taken: %j', (given) => {
    expect(() => checkOptions('call', given as object, CHECKS as OptionChecks<object>)).not.toThrow()
  })
  it.each([
    [null, /^call: options must be an object, got null$/],
    [7, /options must be an object, got 7/],
    [[], /options must be an object, got \[\]/],
    [{ sample: 1 }, /^call: there is no option sample: did you mean samples\?$/],
    [{ zzzzzzzz: 1 }, /no option zzzzzzzz; there are samples, share,/],
    [{ __proto__x: 1 }, /no option __proto__x/],
    [{ constructor: 1 }, /no option constructor/],
    [{ samples: null }, /the option samples must be an integer of at least 1, got null/],
    [{ samples: 1.5 }, /samples must be an integer/],
    [{ share: Number.NaN }, /share must be a number from 0 to 1, got NaN/],
    [{ margin: Infinity }, /margin must be a finite number of at least 1, got Infinity/],
    [{ how: 'slow' }, /how must be one of fast, exact, got "slow"/],
    [{ signal: {} }, /signal must be an AbortSignal, got \{\}/],
    [{ names: ['a', 1] }, /names must be a list of names/],
    [{ inner: { dep: true } }, /no option inner\.dep: did you mean deep\?/],
    [{ inner: [] }, /inner must be an object/],
    [{ onEnd: 'x'.repeat(99) }, /onEnd must be a function, got "x{56}\.\.\.$/],
    [{ whole: null }, /whole must be an object, got null/],
  ])('are refused: %j', (given, message) => {
    expect(() => checkOptions('call', given as object, CHECKS as OptionChecks<object>)).toThrow(InvalidArgumentError)
    expect(() => checkOptions('call', given as object, CHECKS as OptionChecks<object>)).toThrow(message)
  })
})
