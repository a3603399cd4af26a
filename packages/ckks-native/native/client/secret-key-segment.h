// A secret key's bytes: N coefficients, 2 bits each from the low end, 0, 1 and 2 for -1.
#pragma once

#include "scheme/serialize.h"
#include "secret-key.h"

namespace heml {

size_t secretKeyBytes(const Context& context);

// `size` must be the exact number of bytes.
void exportSecretKey(uint8_t* out, size_t size, const SecretKey& key);
// Throws FormatError for a wrong length, a coefficient that is none, or a weight that no uniform ternary secret has.
SecretKey importSecretKey(ContextPointer context, const uint8_t* in, size_t size);

}  // namespace heml
