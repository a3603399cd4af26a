// Builds the addon, its C++ tests and its benchmark programs: node scripts/build.mjs [--quiet] [--tests] [--bench] [--sanitize]
// In an installed package too: what is built is what the loader takes first. The options are those of
// @he-ml/native-runtime/scripts/build-native.mjs, which does the work.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const runtime = dirname(createRequire(import.meta.url).resolve('@he-ml/native-runtime/package.json'))
const { buildNative } = await import(pathToFileURL(join(runtime, 'scripts/build-native.mjs')).href)
buildNative(dirname(dirname(fileURLToPath(import.meta.url))), process.argv.slice(2))
