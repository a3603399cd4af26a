// Ciphertexts to plaintexts: m = c0 + c1 s (+ c2 s^2), at the lowest level whose modulus holds what a decoder reads.
//
// The result carries the encryption noise and with it information on the secret (Li and Micciancio, ePrint 2020/1533): it
// lies in wiped memory and stays with the key's owner. What is published is flooded after decoding, on the published numbers
// alone, by the client's publication policy; no noise is added here.
// Transparent ciphertexts (c1 = 0) are refused unless asked for: they carry no encryption.
#pragma once

#include "scheme/ciphertext.h"
#include "runtime/executor.h"
#include "scheme/plaintext.h"
#include "secret-key.h"

namespace heml {

struct DecryptOptions {
    bool allowTransparent = false;
    bool allLimbs = false;               // keep the ciphertext's level
};

// Throws ParameterMismatchError, InvalidArgumentError (transparent).
Plaintext decrypt(const Ciphertext& ciphertext, const SecretKey& secret, const DecryptOptions& options, Executor& executor);

}  // namespace heml
