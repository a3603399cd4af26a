#pragma once
// Up to four forward levels on up to sixteen vectors in registers.
// Butterfly: T = w b - p in [-p, p) (three multiply-adds), then a + T and a - T (two additions). A value
// that is never multiplied collects at most p per level, so it gets that many p before the block and
// stays non-negative: x_i needs one p per level until it is first multiplied. Only x_0 is never
// multiplied; reducing it keeps every output below 2p + 2 LEVELS p = 10p, and no multiplicand
// exceeds 10p + 6p = 16p <= 2^52, as p < 2^48.

#include "vector.h"

namespace heml::kernel::ifma {

/// Product less p: x any 52-bit value, T in [-p, p) modulo 2^52.
HEML_INLINE void forwardButterfly(Vec& a, Vec& b, Vec factor, Vec quotient, const Prime& prime) {
    const Vec product = mulShoupLazy(b, factor, quotient, prime.minusP, prime);
    b = sub64(a, product);
    a = add64(a, product);
}

/// Number of levels of the block before element i (>= 1) is first multiplied.
template <int LEVELS>
constexpr int levelsBeforeProduct(int i) {
    int level = LEVELS;
    for (; i != 0; i >>= 1) --level;
    return level;
}

/// Levels L .. L + LEVELS - 1 of the subtree at `node` (= 2^L + m): vector i is element i of the node.
/// In [0, 10p); out [0, 10p). FIRST: node 1, in [0, 2p), not reduced.
template <int LEVELS, bool FIRST>
HEML_INLINE void forwardBlock(Vec (&x)[1 << LEVELS], const Word* factors, const Word* quotients, std::size_t node,
                              const Prime& prime) {
    constexpr int SIZE = 1 << LEVELS;
    if constexpr (!FIRST) x[0] = reduceLazy(x[0], prime);
    if constexpr (LEVELS % 2 == 1) x[0] = add64(x[0], prime.p);
    for (int i = 0; i < LEVELS / 2; ++i) x[0] = add64(x[0], prime.twoP);
#pragma GCC unroll 16
    for (int i = 1; i < SIZE / 2; ++i) {
        const int levels = levelsBeforeProduct<LEVELS>(i);
        if (levels & 1) x[i] = add64(x[i], prime.p);
        if (levels & 2) x[i] = add64(x[i], prime.twoP);
    }
#pragma GCC unroll 4
    for (int level = 0; level < LEVELS; ++level) {
        const int distance = SIZE >> (level + 1);
#pragma GCC unroll 8
        for (int j = 0; j < (1 << level); ++j) {
            const std::size_t index = (node << level) + static_cast<std::size_t>(j);
            const Vec factor = broadcast(factors[index]);
            const Vec quotient = broadcast(quotients[index]);
#pragma GCC unroll 8
            for (int i = 0; i < distance; ++i) {
                forwardButterfly(x[2 * distance * j + i], x[2 * distance * j + distance + i], factor, quotient, prime);
            }
        }
    }
}

}  // namespace heml::kernel::ifma
