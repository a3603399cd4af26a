// From the lowest level up, under bootstrapping's ephemeral secret (scheme/encapsulation-key.h).
#pragma once

#include "scheme/ciphertext.h"
#include "scheme/encapsulation-key.h"

namespace heml {

// Degree 1, level 0, and a level that the key reaches; else DegreeError, LevelError, naming the operation.
void requireRaisable(const Ciphertext& a, const EncapsulationKey& key, unsigned level, const char* operation);

// Under the ephemeral secret, in its context.
Ciphertext toSparse(const Ciphertext& a, const EncapsulationKey& key, Executor& executor);

// Reads a ciphertext of level 0 and message m as one of m + q_0 I at `level` (1 to the key's): degree 1, q_0 the product of
// the base primes, |I| <= (1 + EPHEMERAL_WEIGHT) / 2 in every coefficient.
// Throws LevelError, DegreeError, ParameterMismatchError.
Ciphertext modRaise(const Ciphertext& a, const EncapsulationKey& key, unsigned level, Executor& executor);

}  // namespace heml
