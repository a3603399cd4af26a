/**
 * Checkpoints and models on disk.
 *
 * @module node
 */
export { type CheckpointFile, checkpointFile } from './checkpoint-file.ts'
export { loadModel, saveModel } from './model-on-disk.ts'
