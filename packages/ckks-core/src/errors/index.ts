export { checkArgument } from './check-argument.ts'
export { checkOptions, type OptionCheck, type OptionChecks, optionCheck } from './check-options.ts'
export { ERROR_CLASSES, type ErrorClass } from './error-classes.ts'
export * from './errors.ts'
