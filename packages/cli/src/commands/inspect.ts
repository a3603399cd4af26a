/** he-ml inspect: what a file of ours or of SEAL's is, from its header; no key needed, nothing secret shown. */
import { openContainerFile, openOrdinaryFile, ordinaryFileSize } from '@he-ml/ckks-core/node'
import { type MachineCosts, parseMachineCosts } from '@he-ml/ckks-native/client'
import { looksLikeSeal } from '@he-ml/ckks-seal/client'
import type { Command } from 'commander'
import { aboutFile } from '../files/about-file.ts'
import { readModel } from '../files/model-file.ts'
import { readPlan } from '../files/plan-file.ts'
import { readText } from '../files/read-text.ts'
import { describeFile } from '../files/seal-file.ts'
import { MAX_MACHINE_BYTES } from '../files/size-limits.ts'
import { bytes, print } from '../terminal/output.ts'
import { planText } from '../terminal/plan-text.ts'
import { sealText } from '../terminal/seal-text.ts'
import { type CommonOptions, withOutput } from './common.ts'

export function addInspectCommand(program: Command): void {
  const command = program
    .command('inspect')
    .description('tell what a file is: plan, key, ciphertext, result, model')
    .argument('<file>')
  withOutput(command).action(async (file: string, options: CommonOptions) => {
    if (file.toLowerCase().endsWith('.onnx')) {
      const model = await readModel(file)
      const layers = model.nodes.map(({ name, layer }) => ({
        name,
        kind: layer.kind,
        output: [...model.shapes.get(name)!],
      }))
      print(options, { kind: 'model', name: model.name, input: model.inputShape, layers }, [
        `model ${model.name}, input [${model.inputShape}]`,
        ...layers.map((l) => `  ${l.name}: ${l.kind} -> [${l.output}]`),
      ])
      return
    }
    const start = await firstBytes(file, 2)
    if (looksLikeSeal(start)) return inspectSeal(file, options)
    if (start[0] === 0x7b) {
      const machine = await machineIn(file)
      if (machine !== undefined) {
        print(
          options,
          { kind: 'machine', kernel: machine.kernel, threads: machine.threads, factors: machine.factors },
          [
            `machine costs, measured on ${machine.threads} thread${machine.threads === 1 ? '' : 's'} of the ${machine.kernel} kernel`,
            ...Object.entries(machine.factors).map(
              ([name, factor]) => `  ${name}: ${factor?.toFixed(2)} x the default`,
            ),
          ],
        )
        return
      }
      const plan = await readPlan(file)
      print(options, { kind: 'plan', ...plan }, planText(plan))
      return
    }
    await using container = await openContainerFile(file)
    const { header, layout } = container
    const { segments, ...rest } = header
    print(options, { ...rest, bytes: layout.totalBytes, segments: segments.length }, [
      `${header.kind}, ${bytes(layout.totalBytes)} in ${segments.length} segment${segments.length === 1 ? '' : 's'}`,
      ...Object.entries(rest)
        .filter(([name]) => name !== 'kind')
        .map(([name, value]) => `  ${name}: ${brief(value)}`),
    ])
  })
}

async function inspectSeal(file: string, options: CommonOptions): Promise<void> {
  const { bytes, objects } = await describeFile(file)
  print(options, { kind: objects[0]!.kind, engine: 'seal', bytes, objects }, sealText(objects, bytes))
}

/** The costs in a file of `he-ml bench --out`; undefined for any other JSON. */
async function machineIn(file: string): Promise<MachineCosts | undefined> {
  if ((await ordinaryFileSize(file)) > MAX_MACHINE_BYTES) return undefined
  const text = await readText(file, { maxBytes: MAX_MACHINE_BYTES })
  return text.includes('"he-ml/machine"') ? await aboutFile(file, parse(text)) : undefined
}

const parse = async (text: string): Promise<MachineCosts> => parseMachineCosts(text)

async function firstBytes(path: string, count: number): Promise<Uint8Array> {
  const { handle } = await openOrdinaryFile(path)
  try {
    const buffer = new Uint8Array(count)
    await handle.read(buffer, 0, count, 0)
    return buffer
  } finally {
    await handle.close()
  }
}

function brief(value: unknown): string {
  if (Array.isArray(value) && value.length > 3) return `${value.length} entries, first ${JSON.stringify(value[0])}`
  return typeof value === 'string' ? value : JSON.stringify(value)
}
