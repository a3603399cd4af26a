// A ring element as a list of limbs: N residues each, canonical [0, q_i), contiguous, in evaluation order unless a
// routine says coefficients. Which modulus a limb belongs to is the owner's knowledge: ciphertexts hold q limbs in
// order, extended plaintexts and keys hold special limbs after them.
#pragma once

#include <cstring>
#include <utility>

#include "runtime/memory-pool.h"

namespace heml {

class Poly {
public:
    Poly() = default;
    Poly(MemoryPool& pool, size_t limbs, size_t wordsPerLimb, MemoryKind kind, bool secret = false)
        : buffer_(pool.allocate(limbs * wordsPerLimb * sizeof(uint64_t), kind, secret)),
          limbs_(limbs),
          wordsPerLimb_(wordsPerLimb) {}

    size_t limbs() const { return limbs_; }
    size_t wordsPerLimb() const { return wordsPerLimb_; }
    size_t bytes() const { return limbs_ * wordsPerLimb_ * sizeof(uint64_t); }
    uint64_t* limb(size_t i) { return buffer_.data() + i * wordsPerLimb_; }
    const uint64_t* limb(size_t i) const { return buffer_.data() + i * wordsPerLimb_; }
    explicit operator bool() const { return limbs_ != 0; }

    void zero() { buffer_.zero(); }
    void setKind(MemoryKind kind) { buffer_.setKind(kind); }

private:
    Buffer buffer_;
    size_t limbs_ = 0;
    size_t wordsPerLimb_ = 0;
};

}  // namespace heml
