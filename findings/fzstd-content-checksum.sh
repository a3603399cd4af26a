#!/usr/bin/env bash
# fzstd 0.1.1 (npm) unpacks a zstd frame without looking at its content checksum (RFC 8878, section 3.1.1: XXH64 of the content, low
# 32 bits).
#
# A good guess would be that a decompressor verifies the checksum that the frame carries: the reference tool does, and says
# "Restored data doesn't match checksum". Where damage can still be unpacked, fzstd gives other bytes and no error. Seen with Node 20:
#
#   fzstd 0.1.1
#   as packed: hello, hello, hello
#   one byte of the content changed, checksum left: jello, hello, hello (no error)
#   checksum changed, content left: hello, hello, hello (no error)
#
# The frame is one raw block of 19 bytes, written here by hand. Exits 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund fzstd@0.1.1 >/dev/null
cat >check.mjs <<'JS'
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { decompress } from 'fzstd'
const main = createRequire(import.meta.url).resolve('fzstd')
console.log('fzstd', JSON.parse(readFileSync(join(dirname(main), '..', 'package.json'), 'utf8')).version)
const content = new TextEncoder().encode('hello, hello, hello')
// magic; one segment with a checksum; 19 bytes; last block, raw, 19 bytes; the content; low half of its XXH64
const frame = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x24, 19, (19 << 3) | 1, 0, 0, ...content, 0x75, 0xf3, 0x98, 0x8e)
const read = (bytes) => {
  try {
    return `${new TextDecoder().decode(decompress(bytes))} (no error)`
  } catch (error) {
    return `error: ${error.message}`
  }
}
const damaged = (at) => frame.map((byte, i) => (i === at ? byte ^ 2 : byte))
const results = [read(frame), read(damaged(9)), read(damaged(frame.length - 1))]
console.log('as packed:', results[0].replace(' (no error)', ''))
console.log('one byte of the content changed, checksum left:', results[1])
console.log('checksum changed, content left:', results[2])
const expected = ['hello, hello, hello', 'jello, hello, hello', 'hello, hello, hello'].map((t) => `${t} (no error)`)
if (results.join() !== expected.join()) {
  console.error('fzstd behaves otherwise now')
  process.exit(1)
}
JS
node check.mjs
