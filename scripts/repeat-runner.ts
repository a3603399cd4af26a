/** Runs every test `HE_ML_REPEAT` times: how bounds on what encryption leaves to chance are shown to hold. See CONTRIBUTING.md. */
import { type RunnerTask, TestRunner } from 'vitest'

export default class RepeatRunner extends TestRunner {
  override async onBeforeRunTask(test: RunnerTask): Promise<void> {
    if (test.type === 'test') test.repeats = Number(process.env.HE_ML_REPEAT) - 1
    await super.onBeforeRunTask(test)
  }
}
