/**
 * Loaded before a program (`node --import`), from the environment variable HE_ML_PLANT: the process holds what no server may. Either
 * the bytes of a file, or a secret key as the library's own client holds it.
 */
import { readFileSync } from 'node:fs'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { parametersOf, parsePlan } from '@he-ml/pipeline'

/** What is planted: paths. */
export type Plant = { readonly bytes: string } | { readonly key: string; readonly plan: string }

const plant = JSON.parse(process.env.HE_ML_PLANT!) as Plant

async function planted(): Promise<unknown> {
  if ('bytes' in plant) return readFileSync(plant.bytes)
  const client = createNativeClient(parametersOf(parsePlan(readFileSync(plant.plan, 'utf8'))))
  const file = readFileSync(plant.key)
  const key = await client.importSecretKey(file)
  file.fill(0)
  return { client, key }
}

// reachable as long as the process lives
Object.assign(globalThis, { planted: await planted() })
