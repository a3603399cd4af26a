/** A thread that takes the next few recordings that nobody has made, until all are made or somebody says stop. */
import { parentPort, workerData } from 'node:worker_threads'
import { type RecordingTask, takeRecordings } from './record.ts'

for (const made of takeRecordings(workerData as RecordingTask)) parentPort!.postMessage(made)
