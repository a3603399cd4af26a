#!/bin/sh
# h5wasm 0.10.3: `dataset.value` does not throw when HDF5 cannot read the data; it returns memory as it was.
#
# The file is valid: 64 times 2.0 in one chunk through h5py's LZF filter (h5py 3.16), which h5wasm does not have. HDF5 reports
# that the filter is not there, on standard error; get_dataset_data returns a negative status; `value` drops it. A reader has to
# compare the status. Seen with Node 20.20: status -1, a Float32Array of 64 values, none of them 2.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >npm.log
npm install --ignore-scripts h5wasm@0.10.3 >>npm.log 2>&1
cat >check.mjs <<'END'
import { inflateSync } from 'node:zlib'
import * as h5wasm from 'h5wasm'
const file = inflateSync(Buffer.from('eNrr9HBx4+WS4mLm4GCAgf9QwAMVMoCKGzw7csnfwyWIiaGCSQhZIQxwMTEwMjCw8TAAKcaKzTDzPBioBjJ/ytSAnQC0gFGEgYGJkZHRASoHo5lFGBgFFeQZWMA8BQZxDgbxeiCLFeg6Zm5uKQZGoO5aFqAbmRlyqtLA6liB7ga5nUMGpI6JidGBhZEH2WJY6HQwDBrAcWAKO8MoGAWjYBSMglFADmABV5wPPjAzMjgAAFqSK74=', 'base64'))
const library = await h5wasm.ready
library.FS.writeFile('/x.h5', file)
const dataset = new h5wasm.File('/x.h5', 'r').get('x')
console.log('h5wasm 0.10.3, filters of the dataset:', dataset.filters.map(({ id, name }) => `${id} ${name}`).join())
let value
try {
  value = dataset.value
} catch (error) {
  console.log('changed: value throws now:', error.message)
  process.exit(1)
}
const pointer = library._malloc(256)
const status = library.get_dataset_data(dataset.file_id, dataset.path, null, null, null, BigInt(pointer))
const right = value.filter((x) => x === 2).length
console.log('value:', value.constructor.name, value.length, 'values,', right, 'of them right; status of the read:', status)
process.exit(right === 0 && value.length === 64 && status < 0 ? 0 : 1)
END
node check.mjs 2>library.log
echo "the library said: $(grep -m1 'filter' library.log || head -1 library.log)"
