/** Against OpenFHE, as processes of its own (benchmarks/peers/openfhe), in turn with ours. */
import { define } from './benchmark.ts'
import { compareBootstrap, PEER_BOOTSTRAP } from './openfhe/bootstrap.ts'
import { withDrivers } from './openfhe/drivers.ts'
import { compareKeySwitch } from './openfhe/key-switch.ts'
import { choices, positive, positiveList } from './option-types.ts'

interface Options {
  readonly openfhe: string
  readonly only: readonly string[]
  readonly logN: number
  readonly limbs: number
  readonly dnum: number
  readonly threads: readonly number[]
  readonly repetitions: number
  readonly set: string
  readonly bootstraps: number
  readonly peerBootstrap: string
}

const TASKS = ['key-switch', 'bootstrap'] as const

export const peersOpenfhe = define<Options>({
  name: 'peers-openfhe',
  description: 'rotation, bare key switch and bootstrap against an OpenFHE built beside the repository, interleaved',
  configure: (command) =>
    void command
      .requiredOption('--openfhe <path>', 'where OpenFHE is installed (see benchmarks/peers/README.md)')
      .option('--only <list>', `of ${TASKS.join(', ')}`, choices(...TASKS), [...TASKS])
      .option('--threads <list>', 'thread counts, the same for both', positiveList, [1, 2])
      .option('--log-n <n>', 'key switch: log2 of the ring degree', positive, 16)
      .option('--limbs <n>', 'key switch: primes of the ciphertext modulus', positive, 24)
      .option('--dnum <n>', 'key switch: digits', positive, 3)
      .option('--repetitions <n>', 'key switch: turns of five timed runs each', positive, 5)
      .option('--set <name>', 'bootstrap: our parameters', PEER_BOOTSTRAP.set)
      .option('--bootstraps <n>', 'bootstrap: turns of one timed run each', positive, 5)
      .option('--peer-bootstrap <options>', "bootstrap: options of OpenFHE's driver", PEER_BOOTSTRAP.options),
  async run(options, emit) {
    await withDrivers(options.openfhe, async (drivers) => {
      if (options.only.includes('key-switch'))
        for (const threads of options.threads) await compareKeySwitch(drivers.keySwitch, options, threads, emit)
      if (options.only.includes('bootstrap')) await compareBootstrap(drivers.bootstrap, options, emit)
    })
  },
})
