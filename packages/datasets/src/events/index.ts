export { type Aedat2Options, type Aedat2WriteOptions, encodeAedat2, readAedat2 } from './aedat2.ts'
export {
  type AddressEvent,
  type AddressLayout,
  DAVIS240_LAYOUT,
  DAVIS346_LAYOUT,
  DVS128_LAYOUT,
  davisLayout,
} from './aedat2-layouts.ts'
export { type Aedat4WriteOptions, encodeAedat4 } from './aedat4/encode-aedat4.ts'
export { type Aedat4Options, readAedat4 } from './aedat4/read-aedat4.ts'
export type { BadRecordOptions, BadRecords } from './bad-records.ts'
export {
  collectEvents,
  concatenateEvents,
  createEventChunk,
  type EventChunk,
  type EventFile,
  type EventRecording,
  type EventSource,
  type SensorSize,
  sliceEvents,
} from './event-chunk.ts'
export {
  eventFrames,
  type FrameContent,
  type FrameInterval,
  type FrameOptions,
  type FrameTensor,
  recordingFrames,
  type StreamFrameOptions,
  streamFrames,
} from './frames.ts'
export { encodeNmnist, type NmnistOptions, parseNmnist, readNmnist } from './nmnist.ts'
export {
  listRecordings,
  type RecordingFile,
  type RecordingProgress,
  type RecordingSetOptions,
  writeRecordingSet,
} from './recording-folder.ts'
export { type LoopPath, loopPath, type SaccadePath, saccadePath } from './simulator/paths.ts'
export {
  ATIS_LIKE,
  DVS128_LIKE,
  enlarge,
  greyImage,
  type RecordingOptions,
  simulateDvs,
  simulateNmnist,
} from './simulator/presets.ts'
export type { GreyImage, MovingImage, Path } from './simulator/scene.ts'
export type { SensorModel } from './simulator/sensor.ts'
export { type SimulationOptions, simulateEvents, simulateRecording } from './simulator/simulate.ts'
export { type EventStatistics, eventStatistics } from './statistics.ts'
export { type EventFormat, writeRecording } from './write-recording.ts'
