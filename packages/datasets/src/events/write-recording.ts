/** Recordings into files, chunk by chunk; a file appears under its name only when it is whole. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { DatasetFormatError } from '../errors.ts'
import { Aedat2Encoder } from './aedat2.ts'
import { Aedat4Encoder } from './aedat4/encode-aedat4.ts'
import { checkEvents, concatenateEvents, type EventChunk, type SensorSize } from './event-chunk.ts'
import { encodeNmnist } from './nmnist.ts'

/** Formats that are written. 'aedat2' has the DVS128's addresses. */
export type EventFormat = 'nmnist' | 'aedat2' | 'aedat4' | 'aedat4-lz4'

/** File endings by format. */
export const EVENT_FILE_ENDINGS: Readonly<Record<EventFormat, string>> = {
  nmnist: '.bin',
  aedat2: '.aedat',
  aedat4: '.aedat4',
  'aedat4-lz4': '.aedat4',
}

/**
 * Writes a recording. AEDAT is written as chunks come, N-MNIST's short recordings at once.
 * @throws DatasetFormatError for events that the format cannot hold; the file system's own errors. The file is then not there.
 * @example
 * ```ts no-run
 * await writeRecording('dog.aedat4', 'aedat4-lz4', { width: 128, height: 128 }, simulateDvs(images, 3))
 * ```
 */
export async function writeRecording(
  path: string,
  format: EventFormat,
  size: SensorSize,
  chunks: Iterable<EventChunk> | AsyncIterable<EventChunk>,
): Promise<void> {
  if (!Object.hasOwn(EVENT_FILE_ENDINGS, format))
    throw new DatasetFormatError(
      `expected a format of ${Object.keys(EVENT_FILE_ENDINGS).join(', ')}, got ${JSON.stringify(format)}`,
    )
  const partial = `${path}.partial`
  let file: FileHandle | undefined
  try {
    file = await open(partial, 'w')
    await WRITERS[format](file, size, chunks)
    await file.close()
    await rename(partial, path)
  } catch (error) {
    await file?.close().catch(() => undefined)
    await rm(partial, { force: true })
    throw error
  }
}

type Write = (
  file: FileHandle,
  size: SensorSize,
  chunks: Iterable<EventChunk> | AsyncIterable<EventChunk>,
) => Promise<void>

const aedat4 =
  (compression: 'none' | 'lz4'): Write =>
  async (file, size, chunks) => {
    const encoder = new Aedat4Encoder(size, { compression })
    await file.writeFile(encoder.header(-1))
    for await (const chunk of chunks) for (const packet of encoder.packets(chunk)) await file.writeFile(packet)
    await file.writeFile(encoder.table())
    const header = encoder.header(encoder.position)
    await file.write(header, 0, header.length, 0)
  }

const WRITERS: Readonly<Record<EventFormat, Write>> = {
  nmnist: async (file, size, chunks) => {
    const all: EventChunk[] = []
    for await (const chunk of chunks) all.push(chunk)
    await file.writeFile(encodeNmnist(concatenateEvents(all), size))
  },
  aedat2: async (file, size, chunks) => {
    const encoder = new Aedat2Encoder()
    if (size.width > encoder.size.width || size.height > encoder.size.height)
      throw new DatasetFormatError(
        `AEDAT 2.0: a sensor of ${size.width} x ${size.height} does not fit a DVS128's addresses: write AEDAT 4`,
      )
    await file.writeFile(encoder.header())
    for await (const chunk of chunks) {
      checkEvents(chunk, size, 'AEDAT 2.0')
      await file.writeFile(encoder.events(chunk))
    }
  },
  aedat4: aedat4('none'),
  'aedat4-lz4': aedat4('lz4'),
}
