#pragma once
// Moving index bits between the lanes and the two registers of a pair, for the last four levels.
// A pair (x, y) holds sixteen consecutive entries with index bits b3 b2 b1 b0. At first b3 chooses the
// register and b2 b1 b0 the lane; each exchange swaps the register's bit with one lane bit, so the
// levels on b3, b2, b1, b0 are all butterflies between x and y. At the end b0 chooses the register
// and the lane is b3 b2 b1; merge restores the order. Eight shuffles for sixteen entries in all.

#include "vector.h"

namespace heml::kernel::ifma {

/// Entries of a row: what stays together for the last eight levels.
inline constexpr std::size_t ROW = 256;
/// Pairs taken through the last four levels side by side.
inline constexpr std::size_t PAIRS = 4;

HEML_INLINE Vec lanes(int a, int b, int c, int d, int e, int f, int g, int h) {
    return _mm512_setr_epi64(a, b, c, d, e, f, g, h);
}

/// Register bit and lane bit 2; its own inverse.
HEML_INLINE void exchangeHalves(Vec& x, Vec& y) {
    const Vec low = _mm512_shuffle_i64x2(x, y, 0x44);
    y = _mm512_shuffle_i64x2(x, y, 0xEE);
    x = low;
}

/// Register bit and lane bit 1; its own inverse.
HEML_INLINE void exchangePairs(Vec& x, Vec& y) {
    const Vec low = _mm512_permutex2var_epi64(x, lanes(0, 1, 8, 9, 4, 5, 12, 13), y);
    y = _mm512_permutex2var_epi64(x, lanes(2, 3, 10, 11, 6, 7, 14, 15), y);
    x = low;
}

/// Register bit and lane bit 0; its own inverse.
HEML_INLINE void exchangeNeighbours(Vec& x, Vec& y) {
    const Vec low = _mm512_unpacklo_epi64(x, y);
    y = _mm512_unpackhi_epi64(x, y);
    x = low;
}

/// x the even entries, y the odd ones; after it the first and the last eight.
HEML_INLINE void merge(Vec& x, Vec& y) {
    const Vec low = _mm512_permutex2var_epi64(x, lanes(0, 8, 1, 9, 2, 10, 3, 11), y);
    y = _mm512_permutex2var_epi64(x, lanes(4, 12, 5, 13, 6, 14, 7, 15), y);
    x = low;
}

/// The reverse of merge.
HEML_INLINE void split(Vec& x, Vec& y) {
    const Vec even = _mm512_permutex2var_epi64(x, lanes(0, 2, 4, 6, 8, 10, 12, 14), y);
    y = _mm512_permutex2var_epi64(x, lanes(1, 3, 5, 7, 9, 11, 13, 15), y);
    x = even;
}

/// The Shoup quotients of one pair on one of the last four levels: 1, 2, 4 or 8 nodes, in lane order.
/// `node`: index of the pair's node on the first of them.
HEML_INLINE Vec pairQuotients(const Word* quotients, std::size_t node, int level) {
    const Word* from = quotients + (node << level);
    if (level == 0) return broadcast(*from);
    if (level == 3) return load(from);
    if (level == 1) {
        const __m128i two = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        return _mm512_permutexvar_epi64(lanes(0, 0, 0, 0, 1, 1, 1, 1), _mm512_castsi128_si512(two));
    }
    const __m256i four = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return _mm512_permutexvar_epi64(lanes(0, 0, 1, 1, 2, 2, 3, 3), _mm512_castsi256_si512(four));
}

/// Asks for the quotients of PAIRS pairs that come PREFETCH_PAIRS later: tables are rarely in the cache,
/// and the four streams are too short for the processor to see in time.
inline constexpr std::size_t PREFETCH_PAIRS = 32;

HEML_INLINE void prefetchQuotients(const Word* quotients, std::size_t node) {
    static_assert(PAIRS == 4, "half a line on the first level, 1, 2 and 4 on the others");
    node += PREFETCH_PAIRS;
    const auto ask = [](const Word* line) { _mm_prefetch(reinterpret_cast<const char*>(line), _MM_HINT_T0); };
    if (node % (2 * PAIRS) == 0) ask(quotients + node);
    ask(quotients + 2 * node);
    for (std::size_t line = 0; line < 2; ++line) ask(quotients + 4 * node + line * LINE_WORDS);
    for (std::size_t line = 0; line < 4; ++line) ask(quotients + 8 * node + line * LINE_WORDS);
}

}  // namespace heml::kernel::ifma
