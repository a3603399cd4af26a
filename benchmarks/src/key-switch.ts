/**
 * What a key switch costs, and its parts. The C++ programs time the engine below Node; the same rotation through the
 * TypeScript port, in a process of its own, shows what the glue adds; and probes in the same run give the physical limit.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { UnsupportedError } from '@he-ml/ckks-core'
import { kernels as availableKernels } from '@he-ml/ckks-native'
import { Option } from 'commander'
import { define } from './benchmark.ts'
import {
  conversionMultiplyAdds,
  type KeySwitchShape,
  keySwitchBound,
  type Limits,
  nttMultiplyAdds,
} from './key-switch-bound.ts'
import type { PortRequest, PortResult } from './key-switch-port.worker.ts'
import { buildNativePrograms, runNativeProgram } from './native-programs.ts'
import { positiveList } from './option-types.ts'
import type { Emit, Row } from './rows.ts'
import { median } from './statistics.ts'

interface Options {
  readonly kernels: 'active' | 'all'
  readonly threads: readonly number[]
  readonly small?: boolean
}

const SHAPES: readonly KeySwitchShape[] = [
  { logN: 16, limbs: 24, special: 8, dnum: 3 },
  { logN: 16, limbs: 12, special: 8, dnum: 2 },
]
const SMALL: readonly KeySwitchShape[] = [{ logN: 13, limbs: 3, special: 1, dnum: 3 }]
const CONVERSION = { from: 8, to: 24, logN: 16 }

interface EngineLine extends Row {
  readonly params: Row['params'] & { readonly babySteps?: number; readonly giantSteps?: number }
}
interface KernelLine {
  readonly kernel: string
  readonly op: string
  readonly logN: number
  readonly bits: number
  readonly us: number
}

export const keySwitch = define<Options>({
  name: 'key-switch',
  description: 'key switch, transforms, base conversion and hoisted rotations at N = 2^16, beside their physical limit',
  configure: (command) =>
    void command
      .addOption(new Option('--kernels <which>', 'the one in use, or all').choices(['active', 'all']).default('active'))
      .option('--threads <list>', 'thread counts (1, 2)', positiveList, [1, 2])
      .option('--small', 'a toy ring through the port only: to see that the benchmark works'),
  async run({ kernels: which, threads, small }, emit) {
    const { active, supported } = availableKernels()
    const names = which === 'all' ? [...supported].reverse() : [active]
    if (!small) buildNativePrograms()
    for (const kernel of names) {
      for (const count of threads) {
        const limits = small ? undefined : await measureLimits(count, emit)
        for (const shape of small ? SMALL : SHAPES) await throughPort(shape, kernel, count, emit)
        if (small) continue
        await engineRows(kernel, count, emit)
        if (limits && kernel === 'avx512ifma') boundRows(limits, kernel, count, emit)
      }
      if (!small) await kernelRows(kernel, emit)
    }
  },
})

async function measureLimits(threads: number, emit: Emit): Promise<Limits | undefined> {
  const rows = await runNativeProgram<Row>('limits-bench', [`threads=${threads}`])
  for (const row of rows) emit(row)
  const find = (name: string) => rows.find((row) => row.name === name)?.value
  const multiplyAdds = find('multiply-add')
  const bandwidth = find('memory-read')
  if (multiplyAdds === undefined || bandwidth === undefined) return undefined // no such instruction here
  return { multiplyAdds: multiplyAdds * 1e9, bandwidth: bandwidth * 1e9 }
}

function boundRows(limits: Limits, kernel: string, threads: number, emit: Emit): void {
  for (const shape of SHAPES)
    emit({
      name: 'key-switch',
      params: { ...shape, threads, kernel },
      metric: 'bound',
      value: keySwitchBound(shape, limits) * 1e3,
      unit: 'ms',
    })
  if (threads !== 1) return
  const ntt = nttMultiplyAdds(CONVERSION.logN) / limits.multiplyAdds
  emit({ name: 'ntt', params: { logN: 16, threads, kernel }, metric: 'bound', value: ntt * 1e6, unit: 'us' })
  const { logN, from, to } = CONVERSION
  emit({
    name: 'base-conversion',
    params: { logN, from, to, threads, kernel },
    metric: 'bound',
    value: (conversionMultiplyAdds(logN, from, to) / limits.multiplyAdds) * 1e3,
    unit: 'ms',
  })
}

async function engineRows(kernel: string, threads: number, emit: Emit): Promise<void> {
  const lines = await runNativeProgram<EngineLine>(
    'engine-bench',
    ['key-switch', 'hoisted', `threads=${threads}`],
    kernel,
  )
  for (const { name, metric, value, unit, params } of lines) {
    checkKernel(String(params.kernel), kernel)
    const { logN, limbs, special, dnum, babySteps, giantSteps, ...rest } = params
    const wanted = SHAPES.some((s) => s.logN === logN && s.limbs === limbs && s.dnum === dnum)
    if (!wanted || !['time', 'best'].includes(metric)) continue
    const hoisted = name === 'linear-transform'
    if (hoisted && !(babySteps === 16 && giantSteps === 1)) continue
    emit({
      name: hoisted ? 'hoisted-16' : name,
      params: { logN: logN!, limbs: limbs!, special: special!, dnum: dnum!, ...rest, through: 'engine' },
      metric,
      value,
      unit,
    })
  }
}

const KERNEL_ROWS: Readonly<Record<string, { name: string; params: Row['params'] }>> = {
  nttForward: { name: 'ntt', params: { direction: 'forward', data: 'hot' } },
  nttInverse: { name: 'ntt', params: { direction: 'inverse', data: 'hot' } },
  nttForwardCold: { name: 'ntt', params: { direction: 'forward', data: 'cold' } },
  nttInverseCold: { name: 'ntt', params: { direction: 'inverse', data: 'cold' } },
  baseConvert8to24: { name: 'base-conversion', params: { from: 8, to: 24 } },
}

async function kernelRows(kernel: string, emit: Emit): Promise<void> {
  for (const operation of ['nttForward', 'nttInverse', 'baseConvert8to24']) {
    const lines = await runNativeProgram<KernelLine>('kernel-bench', [operation, '16'], kernel)
    for (const { op, logN, bits, us, kernel: ran } of lines) {
      const known = KERNEL_ROWS[op]
      if (ran !== kernel || known === undefined) continue
      const params = { logN, bits, ...known.params, threads: 1, kernel }
      const conversion = known.name === 'base-conversion'
      emit({
        name: known.name,
        params,
        metric: 'time',
        value: conversion ? us / 1e3 : us,
        unit: conversion ? 'ms' : 'us',
      })
    }
  }
}

/** The same rotation, asked for from TypeScript. */
async function throughPort(shape: KeySwitchShape, kernel: string, threads: number, emit: Emit): Promise<void> {
  const file = fileURLToPath(new URL('./key-switch-port.worker.ts', import.meta.url))
  const worker = fork(file, [], { env: { ...process.env, HE_ML_KERNEL: kernel } })
  const result = await new Promise<PortResult>((resolve, reject) => {
    worker.once('message', (message) => resolve(message as PortResult))
    worker.once('error', reject)
    worker.once('exit', (code) =>
      reject(new UnsupportedError(`the rotation through the port ended with status ${code}`)),
    )
    worker.send({ shape, threads } satisfies PortRequest)
  })
  checkKernel(result.kernel, kernel)
  const params = { ...shape, threads, kernel, through: 'port' }
  emit({ name: 'key-switch', params, metric: 'time', value: median(result.milliseconds), unit: 'ms' })
  emit({ name: 'key-switch', params, metric: 'best', value: Math.min(...result.milliseconds), unit: 'ms' })
}

function checkKernel(ran: string, wanted: string): void {
  if (ran !== wanted) throw new UnsupportedError(`expected kernel ${wanted}, but ${ran} ran`)
}
