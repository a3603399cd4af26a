/**
 * What the 32 address bits of AEDAT 2.0 mean, camera by camera. Our origin is the upper left pixel, jAER's the lower left:
 * rows turn round on the way. Columns turn round for another reason: both cameras count them from the right, and jAER turns
 * them when it extracts events (`sizeX - 1 - field`), for the DVS128 as for every DAVIS. Compared with the source of jAER
 * (DVS128.Extractor, DavisBaseCamera.DavisEventExtractor, DavisChip), of v2e, which writes DAVIS files (aedat2_output.py:
 * flipx and flipy), and of tonic, which reads them (io.py, read_davis_346: 345 - field, rows left from below).
 */
import type { SensorSize } from './event-chunk.ts'

/** One pixel event as an address holds it; polarity 1 = ON. */
export interface AddressEvent {
  /** Column, from 0 at the left. */
  readonly x: number
  /** Row, from 0 at the top. */
  readonly y: number
  /** 1 = ON, 0 = OFF. */
  readonly polarity: 0 | 1
}

/** What the address bits of a camera mean. */
export interface AddressLayout extends SensorSize {
  /** Of the camera, for people. */
  readonly name: string
  /** jAER's class of the camera, written into the header. */
  readonly chip: string
  /** Undefined for addresses that are no pixel event. */
  readonly decode: (address: number) => AddressEvent | undefined
  /** The address of an event that lies on the sensor. */
  readonly encode: (event: AddressEvent) => number
}

/**
 * The DVS128: bit 0 polarity (0 = ON), bits 1 to 7 x from the right, bits 8 to 14 y from below, bit 15 set for synchronisation
 * signals, bit 31 for other special events; the rest is zero, and a record that has any of it is of another camera.
 */
export const DVS128_LAYOUT: AddressLayout = {
  name: 'DVS128',
  chip: 'ch.unizh.ini.jaer.chip.retina.DVS128',
  width: 128,
  height: 128,
  decode: (address) =>
    (address & 0x8000_8000) !== 0
      ? undefined
      : // higher bits make y negative: outside
        { x: 127 - ((address >> 1) & 127), y: 127 - (address >> 8), polarity: address & 1 ? 0 : 1 },
  encode: ({ x, y, polarity }) => ((127 - y) << 8) | ((127 - x) << 1) | (polarity ? 0 : 1),
}

/**
 * A DAVIS: bit 31 set for frame (APS) and IMU samples, bits 22 to 30 y from below, bits 12 to 21 x from the right, bit 11
 * polarity (1 = ON), bit 10 set for external signals; the lowest ten bits belong to samples. (Frame samples count columns
 * from the left; they are left out here.)
 */
export function davisLayout(name: string, chip: string, size: SensorSize): AddressLayout {
  const { width, height } = size
  return {
    name,
    chip,
    width,
    height,
    decode: (address) =>
      address > 0x7fff_ffff || (address & 0x400) !== 0
        ? undefined
        : {
            x: width - 1 - ((address >> 12) & 1023),
            y: height - 1 - ((address >> 22) & 511),
            polarity: (address & 0x800) !== 0 ? 1 : 0,
          },
    encode: ({ x, y, polarity }) => ((height - 1 - y) << 22) | ((width - 1 - x) << 12) | (polarity << 11),
  }
}

/** 240 x 180 pixels. */
export const DAVIS240_LAYOUT = davisLayout('DAVIS240', 'eu.seebetter.ini.chips.davis.DAVIS240C', {
  width: 240,
  height: 180,
})

/** 346 x 260 pixels. */
export const DAVIS346_LAYOUT = davisLayout('DAVIS346', 'eu.seebetter.ini.chips.davis.Davis346blue', {
  width: 346,
  height: 260,
})
