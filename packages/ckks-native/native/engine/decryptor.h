// Ciphertexts to plaintexts: m = c0 + c1 s (+ c2 s^2), at the lowest level whose modulus holds what a decoder reads.
//
// The result carries the encryption noise and with it information on the secret: keep it, or flood it before publishing
// (Li and Micciancio, ePrint 2020/1533). floodingSigma adds a rounded Gaussian of that standard deviation, in units of the
// polynomial's integer coefficients; how large it must be for a number of queries is the caller's computation.
// Transparent ciphertexts (c1 = 0) are refused unless asked for: they carry no encryption.
#pragma once

#include "ciphertext.h"
#include "executor.h"
#include "plaintext.h"
#include "secret-key.h"

namespace heml {

struct DecryptOptions {
    double floodingSigma = 0;            // 0: none; at most 2^60
    bool allowTransparent = false;
    bool allLimbs = false;               // keep the ciphertext's level
};

// Throws ParameterMismatchError, InvalidArgumentError (transparent, sigma out of range).
Plaintext decrypt(const Ciphertext& ciphertext, const SecretKey& secret, const DecryptOptions& options,
                  Executor& executor);

}  // namespace heml
