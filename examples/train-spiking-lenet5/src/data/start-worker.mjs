// A thread does not inherit what lets its parent read TypeScript; this gives it that, then runs `workerData.program`.
import { workerData } from 'node:worker_threads'
import { register } from 'tsx/esm/api'

register()
await import(workerData.program)
