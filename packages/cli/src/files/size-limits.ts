/** The most that a file from outside can have; those of keys and ciphertexts are the session's, from the plan's parameters. */

/** ONNX is a protobuf message, which ends at 2 GiB. */
export const MAX_MODEL_BYTES = 2 ** 31 - 1
/** Plans have some hundred kilobytes. */
export const MAX_PLAN_BYTES = 64 * 2 ** 20
/** Machine costs have a kilobyte. */
export const MAX_MACHINE_BYTES = 2 ** 20
/** JavaScript's longest string, about. */
export const MAX_JSON_BYTES = 2 ** 29 - 2 ** 10
/** A key of SEAL's largest ring has a quarter of it. */
export const MAX_SEAL_OBJECT_BYTES = 2 ** 30
