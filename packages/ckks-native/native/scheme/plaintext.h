// An encoded polynomial in evaluation order at a level: limbsAt(level) q limbs and, when extended, every special limb
// after them (double hoisting multiplies before the division by P).
// A slot vector of period N/2 / 2^r encodes to a polynomial in X^(2^r). In evaluation order such a polynomial takes each
// value in runs of 2^r neighbours, so only N / 2^r words per limb are stored: the value at index i is word i >> logRepeat.
#pragma once

#include <memory>

#include "context.h"
#include "poly.h"

namespace heml {

class Plaintext {
public:
    Plaintext() = default;
    // A secret one (a client's, before encryption or after decryption) lies in wiped, locked memory.
    Plaintext(std::shared_ptr<const Context> context, unsigned level, bool extended = false, unsigned logRepeat = 0,
              bool secret = false);

    const std::shared_ptr<const Context>& context() const { return context_; }
    unsigned level() const { return level_; }
    bool extended() const { return extended_; }
    unsigned logRepeat() const { return logRepeat_; }
    size_t limbs() const { return poly_.limbs(); }               // q limbs, and special limbs when extended
    size_t qLimbs() const { return context_->limbsAt(level_); }
    size_t wordsPerLimb() const { return poly_.wordsPerLimb(); } // N >> logRepeat
    size_t bytes() const { return poly_.bytes(); }

    Poly& poly() { return poly_; }
    const Poly& poly() const { return poly_; }
    uint64_t* limb(size_t i) { return poly_.limb(i); }
    const uint64_t* limb(size_t i) const { return poly_.limb(i); }
    // Index into Context's moduli of stored limb i.
    size_t modulusIndex(size_t i) const { return i < qLimbs() ? i : context_->qLimbs() + (i - qLimbs()); }

private:
    std::shared_ptr<const Context> context_;
    unsigned level_ = 0;
    bool extended_ = false;
    unsigned logRepeat_ = 0;
    Poly poly_;
};

}  // namespace heml
