// Sparse-secret encapsulation (Bossuat, Troncoso-Pastoriza and Hubaux, ePrint 2022/024): what makes modRaise's multiple of
// q_0 small. The ciphertext is switched to a secret of 32 non-zero coefficients, raised, and switched back.
//
// The sparse secret is secure only under a small modulus, so the first switch happens in an ephemeral context: the base
// primes as its only level, a few of the special primes, one digit. The second switch is an ordinary one of the main context
// at the level raised to, under the dense secret; there the sparse one is only the message. Both keys carry Galois element 1.
#pragma once

#include <memory>

#include "context.h"
#include "key-switch-key.h"

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

}  // namespace heml
