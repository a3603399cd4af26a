// Sparse-secret encapsulation (Bossuat, Troncoso-Pastoriza and Hubaux, ePrint 2022/024): what makes modRaise's multiple of
// q_0 small. The ciphertext is switched to a secret of 32 non-zero coefficients, raised, and switched back.
//
// The sparse secret is secure only under a small modulus, so the first switch happens in an ephemeral context: the base
// primes as its only level, a few of the special primes, one digit. The second switch is an ordinary one of the main context
// at the level raised to, under the dense secret; there the sparse one is only the message. Both keys carry Galois element 1.
#pragma once

#include "ciphertext.h"
#include "key-switch-key.h"
#include "secret-key.h"

namespace heml {

// Non-zero coefficients of the ephemeral secret.
constexpr size_t EPHEMERAL_WEIGHT = 32;

// The base primes, the first `specials` special primes, one digit; memory and kernels of `context`.
// Throws InvalidArgumentError unless 1 <= specials <= context.specialLimbs().
std::shared_ptr<const Context> ephemeralContext(const Context& context, size_t specials);

struct EncapsulationKey {
    KeySwitchKey toSparse;                           // ephemeral context, level 0
    KeySwitchKey toDense;                            // main context, the highest level modRaise reaches

    unsigned level() const { return toDense.level(); }
    void pack(Executor& executor);
};

// Draws a sparse secret, makes both keys and wipes it. The seed, by default fresh, is as secret as `dense`.
EncapsulationKey generateEncapsulationKey(const SecretKey& dense, const std::shared_ptr<const Context>& ephemeral,
                                          unsigned level, Executor& executor);
EncapsulationKey generateEncapsulationKey(const SecretKey& dense, const std::shared_ptr<const Context>& ephemeral,
                                          unsigned level, const Seed& seed, Executor& executor);

// Reads a ciphertext of level 0 and message m as one of m + q_0 I at `level` (1 to the key's): degree 1, q_0 the product of
// the base primes, |I| <= (1 + EPHEMERAL_WEIGHT) / 2 in every coefficient.
// Throws LevelError, DegreeError, ParameterMismatchError.
Ciphertext modRaise(const Ciphertext& a, const EncapsulationKey& key, unsigned level, Executor& executor);

}  // namespace heml
