/** Runs in processes of their own: small networks gain more from two processes than from two threads in one. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { CancelledError, HeMlError } from '@he-ml/ckks-core'
import type { TrainingProgress } from '@he-ml/snn-training'
import type { Job } from '../cells/grid.ts'
import type { FromWorker, TimedResult, ToWorker, WorkerOptions } from './messages.ts'
import type { DataRequest } from './prepare-data.ts'

export interface RunJobOptions {
  readonly onProgress: (progress: TrainingProgress) => void
  readonly signal: AbortSignal
}

/** Does one run at a time. */
export interface CellRunner extends AsyncDisposable {
  /**
   * @throws CancelledError when the signal fired
   * @throws HeMlError with what went wrong in the process
   */
  run(job: Job, request: DataRequest, options: RunJobOptions): Promise<TimedResult>
}

class ForkedRunner implements CellRunner {
  readonly #options: WorkerOptions
  readonly #child: ChildProcess

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#child = fork(fileURLToPath(new URL('./run.worker.ts', import.meta.url)), [], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    // every answer is waited for in run(); what fails elsewhere ends the process, and run() hears of that
    this.#child.on('error', () => undefined)
  }

  async run(job: Job, request: DataRequest, { onProgress, signal }: RunJobOptions): Promise<TimedResult> {
    signal.throwIfAborted()
    const cancel = () => this.#tell({ kind: 'cancel' })
    signal.addEventListener('abort', cancel)
    try {
      return await this.#ask(job, request, onProgress)
    } catch (error) {
      if (signal.aborted) throw new CancelledError('runs: cancelled', { cause: signal.reason })
      throw error
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  #ask(job: Job, request: DataRequest, onProgress: RunJobOptions['onProgress']): Promise<TimedResult> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        this.#child.off('exit', onExit)
        this.#child.off('message', onMessage)
        finish()
      }
      const onExit = (code: number | null, signal: string | null) =>
        settle(() =>
          reject(new HeMlError('Worker', `a training process ended by itself: ${signal ?? `status ${code}`}`)),
        )
      const onMessage = (message: FromWorker) => {
        if (message.kind === 'progress') onProgress(message.progress)
        else if (message.kind === 'done') settle(() => resolve({ result: message.result, seconds: message.seconds }))
        else settle(() => reject(new HeMlError(message.code, message.message)))
      }
      this.#child.on('exit', onExit)
      this.#child.on('message', onMessage)
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        onExit(this.#child.exitCode, this.#child.signalCode)
      else this.#tell({ kind: 'run', job, request, options: this.#options })
    })
  }

  #tell(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#tell({ kind: 'close' })
    await ended
  }
}

/** A runner in a process of its own. */
export function forkRunner(options: WorkerOptions): CellRunner {
  return new ForkedRunner(options)
}
