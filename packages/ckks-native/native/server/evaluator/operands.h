// What every operation checks first, and the loop over limbs that most of them are.
#pragma once

#include "scheme/ciphertext.h"
#include "runtime/executor.h"
#include "scheme/key-switch-key.h"
#include "scheme/plaintext.h"

namespace heml {

void requireCiphertext(const Ciphertext& a);                           // not a default-constructed one
void requireSame(const Ciphertext& a, const Ciphertext& b);            // context and level
void requireDegreeOne(const Ciphertext& a, const char* operation);
void requirePlaintext(const Ciphertext& a, const Plaintext& b);        // context, level at least a's
void requireKey(const Ciphertext& a, const KeySwitchKey& key);         // context, level at least a's

// value modulo p, in [0, p).
uint64_t reduceSigned(__int128 value, const kernel::Modulus& modulus);

// body(poly, limb) for every limb of the first polyCount polys.
template <class Body>
void forLimbs(Executor& executor, size_t polyCount, size_t limbs, const Body& body) {
    executor.parallelFor(polyCount * limbs, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) body(static_cast<unsigned>(i / limbs), i % limbs);
    });
}

}  // namespace heml
