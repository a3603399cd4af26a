// Plaintexts to fresh ciphertexts of the same level.
//
// With the secret key: c1 uniform from a seed, c0 = -c1 s + e + m; stored as c0 and the seed, half the size.
// With a public key (b, a), whose level may be higher: c0 = v b + e0 + m, c1 = v a + e1, v ternary.
// Fresh randomness comes from the operating system for every call; a given seed is for tests and must never be reused.
#pragma once

#include "scheme/ciphertext.h"
#include "runtime/executor.h"
#include "scheme/plaintext.h"
#include "scheme/public-key.h"
#include "secret-key.h"

namespace heml {

struct SeededCiphertext {
    Ciphertext ciphertext;
    Seed seed;                  // of c1; public
};

SeededCiphertext encrypt(const Plaintext& plaintext, const SecretKey& secret, Executor& executor);
SeededCiphertext encrypt(const Plaintext& plaintext, const SecretKey& secret, const Seed& randomness, Executor& executor);

Ciphertext encrypt(const Plaintext& plaintext, const PublicKey& key, Executor& executor);
Ciphertext encrypt(const Plaintext& plaintext, const PublicKey& key, const Seed& randomness, Executor& executor);

}  // namespace heml
