#pragma once
// Up to four inverse levels on up to sixteen vectors in registers.
// Butterfly: a + b and (a - b + c p) w, c p being a bound of b. Sums double, products fall below 2p, so
// the compiler follows a bound for every element (in multiples of p) and reduces, to 2p, only what
// would pass LIMIT (LIMIT p <= 2^52) or leave the block above 4p: 4 of 16 elements for p < 2^47, 8 for
// p < 2^48. The plan is a constant; nothing of it is left at run time.

#include "kernel/ntt-tables.h"
#include "vector.h"

namespace heml::kernel::ifma {

inline constexpr int PRODUCT_BOUND = 2;   ///< a lazy product or a reduced value is below 2p
inline constexpr int BLOCK_OUT_BOUND = 4;  ///< what a block leaves

/// LIMIT for primes below 2^47 and below 2^48.
constexpr int limitFor(bool wide) { return wide ? 16 : 32; }

template <int LEVELS>
struct InversePlan {
    static constexpr int SIZE = 1 << LEVELS;
    int offset[LEVELS][SIZE] = {};        ///< bound of b at the butterfly whose b this is
    bool reduceBefore[LEVELS][SIZE] = {};
    bool reduceAfter[SIZE] = {};
};

/// Levels run from LEVELS - 1 (distance 1) down to 0. KEEP: leave the outputs as they are.
template <int LEVELS>
constexpr InversePlan<LEVELS> planInverse(int inBound, int limit, bool keep) {
    constexpr int SIZE = 1 << LEVELS;
    InversePlan<LEVELS> plan{};
    int bound[SIZE] = {};
    for (int& b : bound) b = inBound;
    for (int level = LEVELS - 1; level >= 0; --level) {
        const int distance = SIZE >> (level + 1);
        for (int i = 0; i < SIZE; ++i) {
            if (i & distance) continue;
            int& a = bound[i];
            int& b = bound[i + distance];
            if (a + b > limit && a > PRODUCT_BOUND) {
                plan.reduceBefore[level][i] = true;
                a = PRODUCT_BOUND;
            }
            if (a + b > limit && b > PRODUCT_BOUND) {
                plan.reduceBefore[level][i + distance] = true;
                b = PRODUCT_BOUND;
            }
            plan.offset[level][i + distance] = b;
            a += b;
            b = PRODUCT_BOUND;
        }
    }
    for (int i = 0; i < SIZE; ++i) plan.reduceAfter[i] = !keep && bound[i] > BLOCK_OUT_BOUND;
    return plan;
}

/// a any, b below offset, a + offset <= LIMIT p; out: a + b, and in [0, 2p).
HEML_INLINE void inverseButterfly(Vec& a, Vec& b, Vec factor, Vec quotient, Vec offset, const Prime& prime) {
    const Vec difference = add64(sub64(a, b), offset);
    a = add64(a, b);
    b = mulShoupLazy(difference, factor, quotient, zero(), prime);
}

/// p, 2p, 3p ... 16p, as memory operands.
struct Multiples {
    alignas(64) Word of[17][LINE_WORDS];

    HEML_INLINE explicit Multiples(Word p) {
        for (Word k = 0; k <= 16; ++k) store(of[k], broadcast(k * p));
    }
};

/// The levels [LAST, LEVELS) of the subtree at `node`, which has its sign bit flipped already
/// (node ^ half of its level's count), the deepest first. In [0, IN_BOUND p); out [0, 4p), or with KEEP
/// whatever the plan leaves, at most LIMIT p.
template <int LEVELS, int IN_BOUND, bool WIDE>
HEML_INLINE void inverseBlock(Vec (&x)[1 << LEVELS], const Word* factors, const Word* quotients, std::size_t node,
                              const Multiples& multiples, const Prime& prime) {
    static constexpr InversePlan<LEVELS> PLAN = planInverse<LEVELS>(IN_BOUND, limitFor(WIDE), false);
#pragma GCC unroll 4
    for (int level = LEVELS - 1; level >= 0; --level) {
        const int distance = (1 << LEVELS) >> (level + 1);
#pragma GCC unroll 8
        for (int j = 0; j < (1 << level); ++j) {
            const std::size_t index = (node << level) + static_cast<std::size_t>(j);
            const Vec factor = broadcast(factors[index]);
            const Vec quotient = broadcast(quotients[index]);
#pragma GCC unroll 8
            for (int i = 2 * distance * j; i < 2 * distance * j + distance; ++i) {
                if (PLAN.reduceBefore[level][i]) x[i] = reduceLazy(x[i], prime);
                if (PLAN.reduceBefore[level][i + distance]) x[i + distance] = reduceLazy(x[i + distance], prime);
                inverseButterfly(x[i], x[i + distance], factor, quotient, load(multiples.of[PLAN.offset[level][i + distance]]),
                                 prime);
            }
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < (1 << LEVELS); ++i) {
        if (PLAN.reduceAfter[i]) x[i] = reduceLazy(x[i], prime);
    }
}

/// What the first level (the last of the inverse) multiplies sums and differences by: factor / N, and that over w.
struct FinalFactors {
    Vec sumFactor, sumQuotient, differenceFactor, differenceQuotient;

    HEML_INLINE FinalFactors(ShoupFactor sum, ShoupFactor difference)
        : sumFactor(broadcast(sum.factor)),
          sumQuotient(broadcast(sum.quotient)),
          differenceFactor(broadcast(difference.factor)),
          differenceQuotient(broadcast(difference.quotient)) {}
};

/// Of the transform times `factor`, 1/N included.
inline FinalFactors finalFactors(const NttTables& tables, Word factor) {
    const Modulus& m = tables.modulus();
    const Word scale = mulMod(tables.degreeInverse(), factor, m);
    return {makeShoup(scale, m), makeShoup(mulMod(scale, tables.factors()[0], m), m)};
}

/// The last LEVELS levels of the inverse, down to the root; both outputs of level 0 multiplied. In [0, IN_BOUND p); out [0, p), no garbage.
template <int LEVELS, int IN_BOUND, bool WIDE>
HEML_INLINE void inverseFinalBlock(Vec (&x)[1 << LEVELS], const Word* factors, const Word* quotients, const FinalFactors& last,
                                   const Multiples& multiples, const Prime& prime) {
    constexpr int SIZE = 1 << LEVELS;
    static constexpr InversePlan<LEVELS> PLAN = planInverse<LEVELS>(IN_BOUND, limitFor(WIDE), true);
#pragma GCC unroll 4
    for (int level = LEVELS - 1; level >= 0; --level) {
        const int distance = SIZE >> (level + 1);
#pragma GCC unroll 8
        for (int j = 0; j < (1 << level); ++j) {
            const int index = ((1 << level) + j) ^ (level == 0 ? 1 : (1 << level) / 2);
            const Vec factor = level == 0 ? last.differenceFactor : broadcast(factors[index]);
            const Vec quotient = level == 0 ? last.differenceQuotient : broadcast(quotients[index]);
#pragma GCC unroll 8
            for (int i = 2 * distance * j; i < 2 * distance * j + distance; ++i) {
                if (PLAN.reduceBefore[level][i]) x[i] = reduceLazy(x[i], prime);
                if (PLAN.reduceBefore[level][i + distance]) x[i + distance] = reduceLazy(x[i + distance], prime);
                inverseButterfly(x[i], x[i + distance], factor, quotient, load(multiples.of[PLAN.offset[level][i + distance]]),
                                 prime);
                if (level == 0) {
                    x[i] = mulShoup(x[i], last.sumFactor, last.sumQuotient, prime);
                    x[i + distance] = subtractOnce(mask52(x[i + distance]), prime.p);
                }
            }
        }
    }
}

}  // namespace heml::kernel::ifma
