#!/usr/bin/env bash
# onnxruntime 1.30.0 (npm: onnxruntime-node), with its default graph optimisation, gives other values for a BatchNormalization in
# training mode whose constants happen to be equal (those of a layer that was never trained).
#
# A good guess would be that constants stay constant. A fresh layer has scale = variance = 1 and shift = mean = 0. The optimiser keeps
# equal constants once; the operator then writes its new mean and variance over the old ones, as it may, and so over shift and
# scale, before it uses them: -0.775 is 0.925 (1 - 1.5) / 0.5 + 0.15, where 0.925 and 0.15 are the new variance and mean (momentum
# 0.9). Operator set 9: training mode is said by five outputs. Seen, for the values 1 2 | 3 4 of two channels:
#
#   onnxruntime 1.30.0
#   optimisation off: -1 1 -1 1
#   with the default: -0.775 1.075 -0.575 1.275
#   with the default, scale and variance a little apart: -1 1 -1 1
#
# Exits 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
# its install script only fetches libraries for graphics cards
npm install --silent --no-audit --no-fund --ignore-scripts onnxruntime-node@1.30.0 >/dev/null
cat >check.mjs <<'JS'
import ort from 'onnxruntime-node'
// an ONNX file written field by field (numbers of onnx.proto)
const varint = (value) => {
  const out = []
  let v = BigInt.asUintN(64, BigInt(value))
  for (; v > 127n; v >>= 7n) out.push(Number(v & 127n) | 128)
  return [...out, Number(v)]
}
const int = (field, value) => [...varint(field << 3), ...varint(value)]
const raw = (field, bytes) => [...varint((field << 3) | 2), ...varint(bytes.length), ...bytes]
const text = (field, value) => raw(field, new TextEncoder().encode(value))
const tensor = (name, dims, data, type) => [
  ...dims.flatMap((d) => int(1, d)),
  ...int(2, type),
  ...text(8, name),
  ...raw(9, new Uint8Array((type === 7 ? BigInt64Array.from(data, BigInt) : Float32Array.from(data)).buffer)),
]
const info = (name, dims) => [
  ...text(1, name),
  ...raw(2, raw(1, [...int(1, 1), ...raw(2, dims.flatMap((d) => raw(1, typeof d === 'number' ? int(1, d) : text(2, d))))])),
]
const attribute = (name, value) => [
  ...text(1, name),
  ...(Array.isArray(value) ? [...value.flatMap((v) => int(8, v)), ...int(20, 7)] : [...int(3, value), ...int(20, 2)]),
]
const node = ([op, inputs, outputs, attributes = {}]) => [
  ...inputs.flatMap((v) => text(1, v)),
  ...outputs.flatMap((v) => text(2, v)),
  ...text(4, op),
  ...Object.entries(attributes).flatMap(([k, v]) => raw(5, attribute(k, v))),
]
const model = ({ set, input, nodes, constants, rank }) =>
  Uint8Array.from([
    ...int(1, set < 10 ? 4 : 8),
    ...raw(7, [
      ...nodes.flatMap((n) => raw(1, node(n))),
      ...text(2, 'finding'),
      ...constants.flatMap((c) => raw(5, tensor(...c))),
      ...raw(11, info('x', input)),
      ...raw(12, info('y', Array.from({ length: rank }, (_, i) => `d${i}`))),
    ]),
    ...raw(8, int(2, set)),
  ])
const run = async (bytes, shape, data, graphOptimizationLevel) => {
  try {
    const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4, graphOptimizationLevel })
    const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.from(data), shape) })
    return [...y.data].map((v) => Number(v.toFixed(4))).join(' ')
  } catch (error) {
    return `error: ${error.message.slice(0, 900)}`
  }
}
const build = (variance, mean) =>
  model({
    set: 9,
    rank: 4,
    input: [1, 2, 1, 2],
    nodes: [['BatchNormalization', ['x', 'scale', 'shift', 'mean', 'variance'], ['y', 'm', 'v', 'sm', 'sv']]],
    constants: [
      ['scale', [2], [1, 1], 1],
      ['shift', [2], [0, 0], 1],
      ['mean', [2], [mean, mean], 1],
      ['variance', [2], [variance, variance], 1],
    ],
  })
const shape = [1, 2, 1, 2]
const results = [
  await run(build(1, 0), shape, [1, 2, 3, 4], 'disabled'),
  await run(build(1, 0), shape, [1, 2, 3, 4], 'all'),
  await run(build(1.5, 0.5), shape, [1, 2, 3, 4], 'all'),
]
console.log('onnxruntime', ort.env.versions.node ?? ort.env.versions.common)
console.log('optimisation off:', results[0])
console.log('with the default:', results[1])
console.log('with the default, scale and variance a little apart:', results[2])
const expected = ['-1 1 -1 1', '-0.775 1.075 -0.575 1.275', '-1 1 -1 1']
if (results.join() !== expected.join()) {
  console.error('onnxruntime behaves otherwise now')
  process.exit(1)
}
JS
node check.mjs
