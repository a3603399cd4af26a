#pragma once
// Moving index bits between the lanes and the two registers of a pair, for the last four levels.
// A pair (x, y) holds sixteen consecutive entries with index bits b3 b2 b1 b0. At first b3 chooses the
// register and b2 b1 b0 the lane; each exchange swaps the register's bit with one lane bit, so the
// levels on b3, b2, b1, b0 are all butterflies between x and y. At the end b0 chooses the register
// and the lane is b3 b2 b1; merge restores the order. Eight shuffles for sixteen entries in all.

#include "vector.h"

namespace heml::kernel::ifma {

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

/// The Shoup quotients of the four levels for one pair: 1, 2, 4 and 8 nodes, in lane order.
struct PairQuotients {
  Vec level[4];

  /// `node`: index of the pair's node on the first of the four levels.
  HEML_INLINE PairQuotients(const Word* quotients, std::size_t node) {
    level[0] = broadcast(quotients[node]);
    const __m128i two = _mm_loadu_si128(reinterpret_cast<const __m128i*>(quotients + 2 * node));
    level[1] = _mm512_permutexvar_epi64(lanes(0, 0, 0, 0, 1, 1, 1, 1), _mm512_castsi128_si512(two));
    const __m256i four = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(quotients + 4 * node));
    level[2] = _mm512_permutexvar_epi64(lanes(0, 0, 1, 1, 2, 2, 3, 3), _mm512_castsi256_si512(four));
    level[3] = load(quotients + 8 * node);
  }
};

}  // namespace heml::kernel::ifma
