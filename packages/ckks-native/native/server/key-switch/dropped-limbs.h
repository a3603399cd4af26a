// What rescaling takes away: the residues modulo the primes of the top level (one or two of them), centred, brought over
// to the primes that stay.
#pragma once

#include "scheme/context.h"
#include "scheme/poly.h"

namespace heml {

class DroppedLimbs {
public:
    // What is brought over together, and what one thread takes at a time.
    static constexpr size_t GROUP = 2;

    // level >= 1
    DroppedLimbs(const Context& context, unsigned level);

    size_t kept() const { return kept_; }
    size_t count() const { return limbs_ - kept_; }
    // Dropped limb i, in evaluation order, to the coefficients that bringOver reads; dst may be src.
    void toCoefficients(size_t i, uint64_t* dst, const uint64_t* evaluation) const;
    // By which these are more than the coefficients.
    uint64_t factor(size_t i) const;
    // Kept limbs [begin, begin + count) of what is dropped, as coefficients; count <= GROUP.
    void bringOver(const uint64_t* const* coefficients, size_t begin, size_t count, Poly& dst) const;
    // 1 over the dropped primes modulo kept prime i.
    uint64_t inverse(size_t i) const;

private:
    const Context& context_;
    const unsigned level_;
    const size_t limbs_;
    const size_t kept_;
};

}  // namespace heml
