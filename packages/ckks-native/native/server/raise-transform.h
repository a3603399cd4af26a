// modRaise and the first linear transform after it in one, with keys from the ephemeral secret (scheme/encapsulation-key.h).
#pragma once

#include <vector>

#include "scheme/ciphertext.h"
#include "scheme/encapsulation-key.h"
#include "scheme/plaintext.h"

namespace heml {

// A rotation of the raised ciphertext, times a plaintext of the main context, extended, of the level raised to or a higher one.
struct RaiseTerm {
    uint32_t galoisElement;
    const Plaintext* plaintext;
};

// Of each input, in their order: sum over terms of sigma(modRaise(a)) * plaintext, rescaled: at level - 1. Keys and plaintexts are read
// from memory once for all. A raised ciphertext is one digit, so that each rotation is
// one product with a short key, and there is one division by few special primes at the end. At least one input and one term; level 1 to the key's.
// Throws LevelError, DegreeError, KeyError where the key has no such rotation, ParameterMismatchError, InvalidArgumentError.
std::vector<Ciphertext> raiseTransforms(const std::vector<const Ciphertext*>& inputs, const EncapsulationKey& key,
                                        const std::vector<RaiseTerm>& terms, unsigned level, Executor& executor);

}  // namespace heml
