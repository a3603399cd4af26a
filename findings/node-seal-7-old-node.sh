#!/bin/sh
# node-seal 7.0.0: names no Node that it needs, installs without a word on every one, and starts on few.
#
# On Node 20.19.0 and 24.14.0 its initialisation ends with "Aborted(CompileError: WebAssembly.instantiate(): invalid value type ...)", on 22.19.0
# and 24.15.0 it starts: a newer Node is not always enough. node-seal 6.0.3 starts on all four. Installs them from npm. What is seen is printed below.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >npm.log
npm install node-seal@7.0.0 six@npm:node-seal@6.0.3 >>npm.log 2>&1
cat >check.mjs <<'END'
import { readFileSync } from 'node:fs'
const [wanted] = process.argv.slice(2)
// the module prints what it aborts with, too
console.error = () => {}
const start = async (entry) => {
  try {
    const { default: made } = await import(entry)
    await (made.default ?? made)()
    return 'starts'
  } catch (error) {
    return `fails: ${String(error?.message).slice(0, 90)}`
  }
}
const { engines } = JSON.parse(readFileSync('node_modules/node-seal/package.json', 'utf8'))
const seen = { engines, seven: await start('node-seal/allows'), six: await start('six/allows_wasm_node_umd.js') }
console.log('node-seal 7.0.0 and 6.0.3, Node', process.version, seen)
const seven = wanted === 'starts' ? seen.seven === 'starts' : /fails: Aborted\(CompileError: WebAssembly/.test(seen.seven)
process.exit(seven && seen.six === 'starts' && engines === undefined ? 0 : 1)
END
for pair in 20.19.0:fails 22.19.0:starts 24.14.0:fails 24.15.0:starts; do
  npm install "node@${pair%:*}" >>npm.log 2>&1
  node_modules/.bin/node check.mjs "${pair#*:}" 2>>node.log
done
