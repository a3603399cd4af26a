/** Benchmarks whose subject is not built yet: the names are settled, so they are listed, and say so when asked to run. */
import { UnsupportedError } from '@he-ml/ckks-core'
import { type Benchmark, define } from './benchmark.ts'

const SUBJECTS = {
  'scheme-switching': 'comparisons by a change of scheme',
  resnet19: 'spiking ResNet-19 on CIFAR-10',
}

export const planned: readonly Benchmark[] = Object.entries(SUBJECTS).map(([name, subject]) =>
  define({
    name,
    description: subject,
    planned: true,
    configure: (command) => void command.allowUnknownOption().allowExcessArguments(),
    async run() {
      throw new UnsupportedError(
        `benchmark "${name}" (${subject}): this version of HE-ML cannot do that yet, so there is nothing to measure; --list says which benchmarks run`,
      )
    },
  }),
)
