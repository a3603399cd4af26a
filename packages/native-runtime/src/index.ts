/**
 * What native addons share: in C++ threads, memory, errors and the glue to Node (folder `native`, compiled into each addon), here
 * the loading of a compiled addon and the typing of its errors.
 *
 * @packageDocumentation
 */
export { createErrorTranslator, type ErrorClass, type ErrorTranslator } from './error-translator.ts'
export {
  type AddonPlaces,
  addonPlaces,
  describeAttempts,
  type LoadAttempt,
  type LoadedAddon,
  loadAddon,
} from './load-addon.ts'
export { type MissingAddon, missingAddonMessage } from './missing-addon.ts'
export { environmentVariable } from './node-modules.ts'
