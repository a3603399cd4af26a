export { ERROR_CLASSES, type ErrorClass } from './error-classes.ts'
export * from './errors.ts'
