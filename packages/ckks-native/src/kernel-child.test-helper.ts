/** Run as a program by kernels.test.ts: a fixed circuit on given files; prints the kernel and the hashes of all results. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Ciphertext, HeMlError, insecureParametersWithFiles, prepareLinearTransform } from '@he-ml/ckks-core'
import { loadEvaluationKey } from './keys/load-keys.ts'
import { randomValues } from './native.test-helper.ts'
import { createNativeEngine } from './native-engine.ts'

const [folder, literal] = process.argv.slice(2) as [string, string]

async function main(): Promise<unknown> {
  const parameters = insecureParametersWithFiles(JSON.parse(literal))
  await using engine = createNativeEngine(parameters)
  for (const name of readdirSync(folder).sort())
    if (name.endsWith('.key')) await loadEvaluationKey(engine, readFileSync(join(folder, name)))
  const x = await engine.importCiphertext(readFileSync(join(folder, 'x.ct')))
  const diagonals = new Map(Array.from({ length: 16 }, (_, d) => [d, randomValues(parameters.maxSlots, d)]))
  const weights = { slots: parameters.maxSlots, diagonals }
  using transform = await prepareLinearTransform(engine, weights, { level: x.level })
  const product = engine.rescale(engine.relinearize(engine.mul(x, x)))
  const plain = engine.encode(randomValues(parameters.maxSlots, 2), { level: x.level, scale: 2 ** 30 })
  const results: Ciphertext[] = [
    product,
    engine.rotate(product, 1),
    engine.conjugate(x),
    ...engine.rotateHoisted(x, [1, 2, 3]),
    engine.rescale(engine.linearTransform(x, transform)),
    ...engine.matrixProduct([x, engine.negate(x)], { rows: 2, columns: 2, data: Float64Array.of(1, 2, 3, -0.5) }),
    engine.linearCombination([{ ciphertext: x, by: { re: 0.5, im: 2 } }], 2 ** 20 * x.scale, -1),
    engine.mulPlain(x, plain),
    engine.mulByI(engine.addScalar(engine.mulScalar(x, { re: 0.3, im: -0.7 }), 1)),
    engine.mulAccumulate([
      [x, x],
      [x, engine.mulInteger(x, -3)],
    ]),
    engine.dropLevel(engine.sub(engine.sum([x, x, x]), x), 1),
  ]
  const hashes: string[] = []
  for (const result of results)
    hashes.push(
      createHash('sha256')
        .update(await engine.exportCiphertext(result))
        .digest('hex'),
    )
  return { kernel: engine.kernel, hashes }
}

main().then(
  (result) => console.log(JSON.stringify(result)),
  (error) =>
    console.log(JSON.stringify({ typed: error instanceof HeMlError, code: error.code, message: error.message })),
)
