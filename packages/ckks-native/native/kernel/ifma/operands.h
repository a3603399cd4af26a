#pragma once
// Loading the operands of inner products: lines moved by an automorphism, packed keys, repeated
// plaintext entries.

#include "kernel/kernels.h"
#include "vector.h"

namespace heml::kernel::ifma {

/// The identity as a lane permutation.
HEML_INLINE Vec lanesInOrder() { return _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7); }

/// The two lane permutations of an automorphism; the identity if there is none.
struct Permutation {
    const std::uint32_t* lines;
    Vec lanes[2];

    HEML_INLINE explicit Permutation(const AutomorphismTable* table) : lines(nullptr), lanes{zero(), zero()} {
        if (table == nullptr) return;
        lines = table->lines();
        lanes[0] = load(table->lanes(0));
        lanes[1] = load(table->lanes(1));
    }

  /// Where output line i / 8 comes from.
    struct Source {
        std::size_t offset;
        Vec lanes;
    };

    HEML_INLINE Source at(std::size_t i) const {
        const std::uint32_t entry = lines[i / LINE_WORDS];
        return {(entry >> 1) * LINE_WORDS, (entry & 1) != 0 ? lanes[1] : lanes[0]};
    }

    HEML_INLINE static Vec take(const Word* limb, const Source& source) {
        return _mm512_permutexvar_epi64(source.lanes, load(limb + source.offset));
    }
};

/// Six bytes to each word: byte 6 k + b of the input is byte b of word k.
HEML_INLINE Vec unpackLine(const std::uint8_t* from) {
    const Vec bytes = _mm512_maskz_loadu_epi8(0xFFFFFFFFFFFFu, from);
    const Vec indices = _mm512_set_epi8(0, 0, 47, 46, 45, 44, 43, 42, 0, 0, 41, 40, 39, 38, 37, 36, 0, 0, 35, 34, 33, 32, 31, 30,
                                        0, 0, 29, 28, 27, 26, 25, 24, 0, 0, 23, 22, 21, 20, 19, 18, 0, 0, 17, 16, 15, 14, 13, 12,
                                        0, 0, 11, 10, 9, 8, 7, 6, 0, 0, 5, 4, 3, 2, 1, 0);
    return _mm512_maskz_permutexvar_epi8(0x3F3F3F3F3F3F3F3Fu, indices, bytes);
}

HEML_INLINE void packLine(std::uint8_t* to, Vec words) {
    const Vec indices = _mm512_set_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 61, 60, 59, 58, 57, 56, 53, 52, 51, 50,
                                        49, 48, 45, 44, 43, 42, 41, 40, 37, 36, 35, 34, 33, 32, 29, 28, 27, 26, 25, 24, 21, 20,
                                        19, 18, 17, 16, 13, 12, 11, 10, 9, 8, 5, 4, 3, 2, 1, 0);
    _mm512_mask_storeu_epi8(to, 0xFFFFFFFFFFFFu, _mm512_permutexvar_epi8(indices, words));
}

/// Four bytes to each word.
HEML_INLINE Vec widenLine(const std::uint8_t* from) {
    return _mm512_cvtepu32_epi64(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}

template <Packing PACKING>
HEML_INLINE Vec loadKey(KeyLimb limb, std::size_t i) {
    if constexpr (PACKING == Packing::six) return unpackLine(static_cast<const std::uint8_t*>(limb) + 6 * i);
    if constexpr (PACKING == Packing::four) return widenLine(static_cast<const std::uint8_t*>(limb) + 4 * i);
    return load(static_cast<const Word*>(limb) + i);
}

HEML_INLINE Vec loadRepeatedNarrow(const std::uint32_t* values, int logRepeat, std::size_t i) {
    const std::uint32_t* from = values + (i >> logRepeat);
    if (logRepeat == 0) return widenLine(reinterpret_cast<const std::uint8_t*>(from));
    if (logRepeat >= 3) return broadcast(*from);
    if (logRepeat == 2) {
        const __m128i two = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
        return _mm512_cvtepu32_epi64(
            _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(two), _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1)));
    }
    const __m128i four = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return _mm512_cvtepu32_epi64(
        _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(four), _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3)));
}

/// Entries i .. i + 7 of a limb of which one residue stands for 2^logRepeat entries.
HEML_INLINE Vec loadRepeated(const RepeatedLimb& limb, std::size_t i) {
    if (limb.packing == Packing::four) {
        return loadRepeatedNarrow(static_cast<const std::uint32_t*>(limb.values), limb.logRepeat, i);
    }
    const Word* from = static_cast<const Word*>(limb.values) + (i >> limb.logRepeat);
    if (limb.logRepeat == 0) return load(from);
    if (limb.logRepeat >= 3) return broadcast(*from);
    if (limb.logRepeat == 2) {
        const __m128i two = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 0, 0, 0, 1, 1, 1, 1), _mm512_castsi128_si512(two));
    }
    const __m256i four = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 0, 1, 1, 2, 2, 3, 3), _mm512_castsi256_si512(four));
}

}  // namespace heml::kernel::ifma
