// Limbs of `count` residues each that are only read, each in as few bytes as its prime allows: what streams through once
// costs what its bytes cost. Keys and encoded weights; ciphertexts are words (poly.h).
#pragma once

#include <vector>

#include "kernel/kernels.h"
#include "runtime/memory-pool.h"

namespace heml {

// Primes below 2^32 take 4 bytes a residue, the others 6.
inline kernel::Packing keyPacking(const kernel::Modulus& modulus) {
    return modulus.value >> 32 == 0 ? kernel::Packing::four : kernel::Packing::six;
}
// The others 8: repeated entries are loaded by the word.
inline kernel::Packing plaintextPacking(const kernel::Modulus& modulus) {
    return modulus.value >> 32 == 0 ? kernel::Packing::four : kernel::Packing::words;
}

class PackedPoly {
public:
    PackedPoly() = default;
    // One packing a limb. The memory is uninitialised.
    PackedPoly(MemoryPool& pool, std::vector<kernel::Packing> limbs, size_t count, MemoryKind kind);

    explicit operator bool() const { return !limbs_.empty(); }
    size_t limbs() const { return limbs_.size(); }
    size_t bytes() const { return words_ * sizeof(uint64_t); }
    kernel::Packing packing(size_t i) const { return limbs_[i]; }
    uint8_t* limb(size_t i) { return reinterpret_cast<uint8_t*>(buffer_.data() + starts_[i]); }
    const uint8_t* limb(size_t i) const { return const_cast<PackedPoly*>(this)->limb(i); }

    // Limb i from and to `count` words. `at`: the first residue, a multiple of 8; `n` residues, all of them by default.
    void pack(size_t i, const uint64_t* words, const kernel::Kernels& kernels) { pack(i, 0, count_, words, kernels); }
    void pack(size_t i, size_t at, size_t n, const uint64_t* words, const kernel::Kernels& kernels);
    void unpack(uint64_t* words, size_t i, const kernel::Kernels& kernels) const { unpack(words, i, 0, count_, kernels); }
    void unpack(uint64_t* words, size_t i, size_t at, size_t n, const kernel::Kernels& kernels) const;

private:
    Buffer buffer_;
    std::vector<kernel::Packing> limbs_;
    std::vector<size_t> starts_;                       // in words
    size_t count_ = 0;
    size_t words_ = 0;
};

}  // namespace heml
