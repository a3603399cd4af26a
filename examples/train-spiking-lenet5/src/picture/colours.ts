export const BLUE = '#3b6ea5'
export const ORANGE = '#c9792b'
/** Series in turn; far apart in brightness too. */
export const SERIES = [BLUE, ORANGE, '#6a9f58', '#a05195', '#7f6a55', '#3aa6a6', '#b9b9b9', '#333333']

/** A Vega-Lite colour channel that gives names these colours, in order. */
export const colourOf = (field: string, names: readonly string[], title: string | null = null) => ({
  field,
  type: 'nominal',
  sort: null,
  scale: { domain: [...names], range: names.map((_, i) => SERIES[i % SERIES.length]) },
  title,
})
