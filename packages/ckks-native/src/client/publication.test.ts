/**
 * Publication on the compiled engine, and that its errors stay below the bound that the plan engine's estimate gives: of rotations,
 * linear transforms and polynomials, of every slot, slot 0 among them, under many keys.
 */
import {
  type AnyParameters,
  type Ciphertext,
  createParameters,
  createPlanEngine,
  type Engine,
  FormatError,
  ParameterMismatchError,
  type PlanContract,
  publicationBound,
} from '@he-ml/ckks-core'
import { startMemoryLedger } from '@he-ml/ckks-core/client'
import { describe, expect, it } from 'vitest'
import { encodeCiphertexts, exportSegment, importCiphertexts } from '../ciphertext-files.ts'
import { loadEvaluationKey } from '../evaluation-keys.ts'
import { createNativeEngine } from '../native-engine.ts'
import { createNativeClient } from './native-client.ts'
