import type { CheckpointStore } from '@he-ml/pipeline'

/** The same store, but a finished run keeps its checkpoints: the caller clears them once the result is where it belongs. */
export const keptCheckpoints = (store: CheckpointStore): CheckpointStore => ({
  put: (name, bytes) => store.put(name, bytes),
  get: (name) => store.get(name),
  delete: (name) => store.delete(name),
  clear: async () => {},
})
