// Builds the runtime's own tests: node scripts/build.mjs [--quiet] [--tests] [--sanitize] [--thread]
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildNative } from './build-native.mjs'

buildNative(dirname(dirname(fileURLToPath(import.meta.url))), process.argv.slice(2))
