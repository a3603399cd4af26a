// An encoded polynomial in evaluation order at a level: limbsAt(level) q limbs and, when extended, every special limb
// after them (double hoisting multiplies before the division by P).
// A slot vector of period N/2 / 2^r encodes to a polynomial in X^(2^r). In evaluation order such a polynomial takes each
// value in runs of 2^r neighbours, so only N / 2^r words per limb are stored: the value at index i is word i >> logRepeat.
// A packed one is only read, by products and sums: primes below 2^32 take 4 bytes a residue (packed-poly.h).
// A deferred one, for linear transforms, is kept as integer coefficients, as large as a single limb, and has all limbs, each
// made when it is used. Weights that are used once need not lie in memory ten times as large.
#pragma once

#include <memory>

#include "encoded-integers.h"
#include "packed-poly.h"
#include "poly.h"

namespace heml {

class Plaintext {
public:
    Plaintext() = default;
    // A secret one (a client's, before encryption or after decryption) lies in wiped, locked memory.
    Plaintext(std::shared_ptr<const Context> context, unsigned level, bool extended = false, unsigned logRepeat = 0,
              bool secret = false);

    // A packed one, its memory uninitialised.
    static Plaintext packed(std::shared_ptr<const Context> context, unsigned level, bool extended, unsigned logRepeat);

    // What a deferred one is made of.
    struct Deferred {
        std::shared_ptr<const LimbMaker> maker;
        EncodedIntegers integers;
    };
    Plaintext(std::shared_ptr<const Context> context, unsigned level, unsigned logRepeat, Deferred deferred);

    const std::shared_ptr<const Context>& context() const { return context_; }
    unsigned level() const { return level_; }
    bool extended() const { return extended_; }
    unsigned logRepeat() const { return logRepeat_; }
    bool deferred() const { return deferred_.maker != nullptr; }
    size_t limbs() const { return qLimbs() + (extended_ ? context_->specialLimbs() : 0); }
    size_t qLimbs() const { return context_->limbsAt(level_); }
    size_t wordsPerLimb() const { return context_->ringDegree() >> logRepeat_; }
    size_t bytes() const { return deferred() ? deferred_.integers.bytes() : isPacked() ? packed_.bytes() : poly_.bytes(); }
    bool isPacked() const { return static_cast<bool>(packed_); }

    // InvalidArgumentError for a deferred one, which has none in memory, and a packed one, which has no words.
    uint64_t* limb(size_t i) { return whole().limb(i); }
    const uint64_t* limb(size_t i) const { return const_cast<Plaintext*>(this)->limb(i); }
    // Of any kind: `out` holds wordsPerLimb().
    void copyLimb(uint64_t* out, size_t i) const;
    // wordsPerLimb() words to limb i, packed or not.
    void putLimb(size_t i, const uint64_t* words);
    // What the kernels read, packed or not; InvalidArgumentError for a deferred one.
    kernel::RepeatedLimb repeatedLimb(size_t i) const;
    // Index into Context's moduli of stored limb i.
    size_t modulusIndex(size_t i) const { return i < qLimbs() ? i : context_->qLimbs() + (i - qLimbs()); }

private:
    struct NoMemory {};
    Plaintext(NoMemory, std::shared_ptr<const Context> context, unsigned level, bool extended, unsigned logRepeat);
    Poly& whole();

    std::shared_ptr<const Context> context_;
    unsigned level_ = 0;
    bool extended_ = false;
    unsigned logRepeat_ = 0;
    Poly poly_;                                       // or
    PackedPoly packed_;                               // or
    Deferred deferred_;
};

}  // namespace heml
