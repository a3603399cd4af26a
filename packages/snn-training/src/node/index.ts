/**
 * Checkpoints and models on disk.
 *
 * @packageDocumentation
 */
export { type CheckpointFile, checkpointFile } from './checkpoint-file.ts'
export { loadModel, saveModel } from './model-on-disk.ts'
