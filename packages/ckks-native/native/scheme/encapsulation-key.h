// Sparse-secret encapsulation (Bossuat, Troncoso-Pastoriza and Hubaux, ePrint 2022/024): what makes modRaise's multiple of
// q_0 small. The ciphertext is switched to a secret of 32 non-zero coefficients, raised, and switched back.
//
// The sparse secret is secure only under a small modulus, so the first switch happens in an ephemeral context: the base
// primes as its only level, a few of the special primes, one digit. The second switch is under the dense secret; there the
// sparse one is only the message. It has one of two forms:
// - an ordinary key of the main context at the level raised to, of Galois element 1;
// - keys of the raising context, of Galois element 1 and others. A raised ciphertext is no larger than q_0, so it is a digit of its
//   own, modulo every prime at once: one digit, and special primes for the size of q_0, in place of those for a third of Q.
#pragma once

#include <memory>
#include <vector>

#include "context.h"
#include "key-switch-key.h"

namespace heml {

// Non-zero coefficients of the ephemeral secret.
constexpr size_t EPHEMERAL_WEIGHT = 32;

// The base primes, the first `specials` special primes, one digit; memory and kernels of `context`.
// Throws InvalidArgumentError unless 1 <= specials <= context.specialLimbs().
std::shared_ptr<const Context> ephemeralContext(const Context& context, size_t specials);

// All levels, as many special primes as base primes (all, where there are fewer), one digit; memory and kernels of `context`.
std::shared_ptr<const Context> raisingContext(const Context& context);

struct EncapsulationKey {
    KeySwitchKey toSparse;  // ephemeral context, level 0
    // At the highest level modRaise reaches: one of the main context, or, that of element 1 first, those of the raising context.
    std::vector<KeySwitchKey> toDense;

    unsigned level() const { return toDense.front().level(); }
    // The raising context's key of a Galois element; nullptr where there is none.
    const KeySwitchKey* raising(const Context& main, uint32_t galoisElement) const;
    // Whether it can do all that another can.
    bool serves(const EncapsulationKey& other, const Context& main) const;
    void pack(Executor& executor);
};

}  // namespace heml
