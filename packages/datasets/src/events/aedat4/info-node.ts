/** The XML in an AEDAT 4 header: nested <node name> with <attr key type>text</attr>; one child of "outInfo" for each stream. */
import { DatasetFormatError } from '../../errors.ts'
import type { SensorSize } from '../event-chunk.ts'

/** One stream of a recording; width and height are 0 where the file does not say. */
export interface StreamInfo extends SensorSize {
  readonly id: number
  /** Four letters: EVTS events, FRME frames, IMUS motion, TRIG triggers. */
  readonly type: string
}

const MAX_TEXT = 2 ** 22
const MAX_DEPTH = 64

/** @throws DatasetFormatError for XML that is not of this form */
export function parseInfoNode(xml: string): StreamInfo[] {
  if (xml.length > MAX_TEXT) throw broken(`it has ${xml.length} characters, the limit is ${MAX_TEXT}`)
  const streams = new Map<number, { type: string; width: number; height: number }>()
  const open: string[] = []
  let key: string | undefined
  // tags, comments and the text between them
  for (const [token] of xml.matchAll(/<[^>]*>|[^<]+/g)) {
    if (!token.startsWith('<')) {
      if (key !== undefined) assign(streams, open, key, token.trim())
      continue
    }
    if (token.startsWith('<?') || token.startsWith('<!')) continue
    const name = /^<\/?([a-z]+)/.exec(token)?.[1]
    if (token.startsWith('</')) {
      if (name === 'attr') key = undefined
      else open.pop()
    } else if (name === 'attr') key = token.endsWith('/>') ? undefined : attribute(token, 'key')
    else if (!token.endsWith('/>')) {
      open.push(attribute(token, 'name') ?? name ?? '')
      if (open.length > MAX_DEPTH) throw broken('it is nested too deeply')
    }
  }
  if (streams.size === 0) throw broken('it describes no stream')
  return [...streams].map(([id, stream]) => ({ id, ...stream }))
}

function assign(
  streams: Map<number, { type: string; width: number; height: number }>,
  open: readonly string[],
  key: string,
  text: string,
): void {
  // dv, outInfo, stream, then info for the sensor
  const [root, list, name, inner] = open
  if (root !== 'dv' || list !== 'outInfo' || name === undefined || open.length > 4) return
  if (!/^\d{1,9}$/.test(name))
    throw broken(`expected a number as a stream's name, got ${JSON.stringify(name.slice(0, 40))}`)
  const stream = streams.get(Number(name)) ?? { type: '', width: 0, height: 0 }
  if (inner === undefined && key === 'typeIdentifier') stream.type = text
  else if (inner === 'info' && (key === 'sizeX' || key === 'sizeY')) {
    if (!/^\d{1,5}$/.test(text))
      throw broken(`expected a whole number as ${key}, got ${JSON.stringify(text.slice(0, 40))}`)
    stream[key === 'sizeX' ? 'width' : 'height'] = Number(text)
  }
  streams.set(Number(name), stream)
}

const attribute = (tag: string, name: string): string | undefined => new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]

const broken = (how: string) => new DatasetFormatError(`AEDAT 4: header XML: ${how}`)

/** XML for one stream of events, number 0. @param source printable name of what made the events */
export function eventStreamInfo({ width, height }: SensorSize, compression: string, source: string): string {
  const attr = (key: string, type: string, value: string | number) =>
    `<attr key="${key}" type="${type}">${value}</attr>`
  const info = `<node name="info" path="/mainloop/Recorder/outInfo/0/info/">${[
    attr('sizeX', 'int', width),
    attr('sizeY', 'int', height),
    attr('source', 'string', source),
    attr('tsOffset', 'long', 0),
  ].join('')}</node>`
  const stream = `<node name="0" path="/mainloop/Recorder/outInfo/0/">${[
    attr('compression', 'string', compression),
    attr('originalModuleName', 'string', 'capture'),
    attr('originalOutputName', 'string', 'events'),
    attr('typeDescription', 'string', 'Array of events (polarity ON/OFF).'),
    attr('typeIdentifier', 'string', 'EVTS'),
  ].join('')}${info}</node>`
  return `<dv version="2.0"><node name="outInfo" path="/mainloop/Recorder/outInfo/">${stream}</node></dv>`
}
