#pragma once
// Loading the operands of inner products: moved digits, packed keys, repeated plaintext entries.

#include "kernel/kernels.h"
#include "vector.h"

namespace heml::kernel::avx2 {

/// Four residues of 4 bytes each.
HEML_INLINE Int widen(const std::uint8_t* from) {
    return _mm256_cvtepu32_epi64(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}

/// Four keys at i.
HEML_INLINE Int loadKey(KeyLimb limb, Packing packing, std::size_t i) {
    if (packing == Packing::words) return load(static_cast<const Word*>(limb) + i);
    if (packing == Packing::four) return widen(static_cast<const std::uint8_t*>(limb) + 4 * i);
    const std::uint8_t* from = static_cast<const std::uint8_t*>(limb) + 6 * i;
    const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));       // bytes 0 .. 15
    const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 8));  // bytes 8 .. 23
    const __m128i first = _mm_setr_epi8(0, 1, 2, 3, 4, 5, -1, -1, 6, 7, 8, 9, 10, 11, -1, -1);
    const __m128i second = _mm_setr_epi8(4, 5, 6, 7, 8, 9, -1, -1, 10, 11, 12, 13, 14, 15, -1, -1);
    return _mm256_set_m128i(_mm_shuffle_epi8(high, second), _mm_shuffle_epi8(low, first));
}

/// Entries i .. i + 3 of the automorphism's image; the limb begins with entry `origin`.
HEML_INLINE Int loadMoved(const Word* limb, const AutomorphismTable* table, std::size_t i, std::size_t origin = 0) {
    if (table == nullptr) return load(limb + (i - origin));
    const auto at = [&](std::size_t k) { return static_cast<long long>(limb[table->sourceOf(k) - origin]); };
    return _mm256_setr_epi64x(at(i), at(i + 1), at(i + 2), at(i + 3));
}

HEML_INLINE Int loadRepeated(const RepeatedLimb& limb, std::size_t i) {
    if (limb.packing == Packing::four) {
        const std::uint32_t* from = static_cast<const std::uint32_t*>(limb.values) + (i >> limb.logRepeat);
        if (limb.logRepeat == 0) return widen(reinterpret_cast<const std::uint8_t*>(from));
        if (limb.logRepeat >= 2) return broadcast(*from);
        return _mm256_setr_epi64x(from[0], from[0], from[1], from[1]);
    }
    const Word* from = static_cast<const Word*>(limb.values) + (i >> limb.logRepeat);
    if (limb.logRepeat == 0) return load(from);
    if (limb.logRepeat >= 2) return broadcast(*from);
    return _mm256_setr_epi64x(static_cast<long long>(from[0]), static_cast<long long>(from[0]), static_cast<long long>(from[1]),
                              static_cast<long long>(from[1]));
}

}  // namespace heml::kernel::avx2
