// What every operation checks first, and the loop over limbs that most of them are.
#pragma once

#include <array>

#include "server/evaluator.h"
#include "scheme/ciphertext.h"
#include "runtime/executor.h"
#include "scheme/key-switch-key.h"
#include "scheme/plaintext.h"

namespace heml {

void requireCiphertext(const Ciphertext& a);                           // not a default-constructed one
void requireRescalable(const Ciphertext& a);                           // above level 0
void requireSame(const Ciphertext& a, const Ciphertext& b);            // context and level
void requireDegreeOne(const Ciphertext& a, const char* operation);
void requirePlaintext(const Ciphertext& a, const Plaintext& b);        // context, level at least a's
void requireKey(const Ciphertext& a, const KeySwitchKey& key);         // context, level at least a's

// InvalidArgumentError from 2^120 on.
void requireRange(GaussianInteger scalar);
// The residues of re + im i in the two halves of limb i. In evaluation order slot values zeta^(s 5^k) have X^(N/2) = i in the first
// half (s = +1) and -i in the second, since 5^k = 1 modulo 4: a complex constant is one residue per half.
std::array<uint64_t, 2> residuesOf(const Context& context, size_t i, GaussianInteger scalar);
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
