#!/bin/sh
# node-seal 7.0.0: loadFromArray refuses a Buffer, which is a Uint8Array by every test of the language.
#
# What it saved itself loads again as a Uint8Array, and not as a Buffer over the same bytes, which is what Node's file system and
# sockets give. Views at an offset are fine. Needs Node 22.19 or later of 22, or 24.15 or later; installs one from npm. The message is printed below.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >npm.log
npm install node-seal@7.0.0 node@24.21.0 >>npm.log 2>&1
cat >check.mjs <<'END'
import initialize from 'node-seal/allows'
const seal = await initialize()
const parms = new seal.EncryptionParameters(seal.SchemeType.ckks)
parms.setPolyModulusDegree(8192)
parms.setCoeffModulus(seal.CoeffModulus.Create(8192, Int32Array.of(60, 40, 40, 60)))
const context = new seal.SEALContext(parms, true, seal.SecLevelType.tc128)
const secret = new seal.KeyGenerator(context).secretKey()
const bytes = Uint8Array.from(secret.saveToArray(seal.ComprModeType.none))
const load = (input) => {
  try {
    new seal.SecretKey().loadFromArray(context, input)
    return 'loads'
  } catch (error) {
    return `throws: ${Array.isArray(error?.message) ? error.message.join(': ') : (error?.message ?? error)}`
  }
}
const shifted = new Uint8Array(bytes.length + 3)
shifted.set(bytes, 3)
const seen = { array: load(bytes), view: load(shifted.subarray(3)), buffer: load(Buffer.from(bytes)) }
console.log('node-seal 7.0.0, Node', process.version, seen)
process.exit(seen.array === 'loads' && seen.view === 'loads' && seen.buffer.startsWith('throws') ? 0 : 1)
END
node_modules/.bin/node check.mjs
