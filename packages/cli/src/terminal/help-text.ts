/** What `--help` says below the options: an example, and what the exit code means. */

const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  import: ['he-ml import net.nir --dt 1e-3 --time-steps 8 --out net.json'],
  plan: [
    'he-ml plan --model net.onnx --data mnist --out plan.json',
    'he-ml plan --model net.onnx --data mnist --batch 512 --memory 16 --out plan.json',
    'he-ml plan --model mnist-lif-t2-grid.json --data mnist --normalize none --step cheapest --out plan.json',
  ],
  simulate: ['he-ml simulate --plan plan.json --model net.onnx --data mnist --samples 1000'],
  keygen: ['he-ml keygen --plan plan.json --secret client/secret.key --evaluation server/keys'],
  encrypt: ['he-ml encrypt --plan plan.json --key client/secret.key --data mnist --index 7 --out server/input.ct'],
  run: [
    'he-ml run --plan plan.json --model net.onnx --evaluation server/keys --input server/input.ct --out server/result.ct',
    'he-ml run --plan plan.json --model net.onnx --evaluation server/keys --input server/*.ct --out server/results',
  ],
  serve: ['he-ml serve --plan plan.json --model net.onnx --evaluation server/keys --socket server/he-ml.sock'],
  send: ['he-ml send --socket server/he-ml.sock --input server/1.ct server/2.ct --out server/results'],
  decrypt: ['he-ml decrypt --plan plan.json --key client/secret.key --input server/result.ct'],
  diff: ['he-ml diff --plan plan.json --model net.onnx --data mnist --index 7 --svg diff.svg'],
  ledger: ['he-ml ledger --key client/secret.key'],
  inspect: ['he-ml inspect server/input.ct'],
  bench: ['he-ml bench --out machine.json'],
}

const EXIT_CODES = [
  'Exit codes: 0 done, 1 a defect of ours, 2 usage, 3 a malformed file, 4 files that do not belong together, 5 not secure,',
  '6 no plan possible, 7 a missing key, 8 not enough memory, 9 the file system, 10 not supported, 11 level or scale, 130 cancelled.',
]

/** @param command its name; the program's own without */
export function helpText(command?: string): string {
  const examples = command === undefined ? [] : (EXAMPLES[command] ?? [])
  return [
    '',
    ...(examples.length > 0 ? ['Examples:', ...examples.map((line) => `  ${line}`), ''] : []),
    ...EXIT_CODES,
  ].join('\n')
}

/** Commands that have an example. */
export const EXPLAINED: readonly string[] = Object.keys(EXAMPLES)
