import { designRefresh } from '@he-ml/ckks-core'
for (const [levels, bits, extra] of [[10, 19, { scaleBits: 42 }], [4, 16, { scaleBits: 34, rings: [15] }], [4, 13, {}], [6, 13, {}], [8, 13, {}], [10, 13, {}], [12, 13, {}], [14, 13, {}], [16, 13, {}],[18, 12, {}]] as const) {
  const t = performance.now()
  try {
    const d = await designRefresh({ levels, precisionBits: bits, ...extra })
    const { request: r } = d
    console.log(levels, bits, 'N', r.logN, 'c2s', r.spec.coeffsToSlots, 's2c', r.spec.slotsToCoeffs, 'dnum', r.dnum, 'head', r.headBits.join(), 'work', r.workBits, 'scale', r.scaleBits, 'base', r.baseBits, 'ratio', r.spec.logMessageRatio, 'P', r.specialBits.length, r.specialBits[0], 'logQP', d.set.parameters.logQP.toFixed(1), 's', d.seconds.toFixed(2), 'us/value', (1e6 * d.secondsPerValue).toFixed(2), 'bits', d.precisionBits.toFixed(1), 'keys', (d.keyBytes / 1e9).toFixed(2), d.rejected.filter((x) => x.why === 'precision').length, ((performance.now() - t) / 1000).toFixed(1) + ' s')
  } catch (e: any) { console.log(levels, bits, e.message) }
}
