// Inverse transform: the two sweeps of the forward one, backwards.
// Sweep 1 takes every subtree of at most 4,096 entries through its rows (pairs of vectors, then four
// levels) and its columns, in L1; for N = 2^17 one more level joins two of them. Sweep 2 is the first
// two to four levels, in streams; the very last one multiplies by factor / N. The inverse of a node's
// w is the w of the node with the sign bit flipped, so both directions read one table.

#include "ifma.h"
#include "inverse-block.h"
#include "lanes.h"

namespace heml::kernel::ifma {

namespace {

/// The last four levels of PAIRS pairs, backwards and side by side. In [0, p): sums reach 2p, 4p, 8p,
/// 16p <= 2^52. Out [0, 2p).
HEML_INLINE void inversePairs(Word* dst, const Word* src, const Word* quotients, std::size_t node, const Multiples& multiples,
                              const Prime& prime) {
    prefetchQuotients(quotients, node);
    Vec x[PAIRS], y[PAIRS];
#pragma GCC unroll 4
    for (std::size_t k = 0; k < PAIRS; ++k) {
        x[k] = load(src + 16 * k);
        _mm_prefetch(reinterpret_cast<const char*>(src + 16 * k + 2 * ROW), _MM_HINT_T0);
        _mm_prefetch(reinterpret_cast<const char*>(src + 16 * k + LINE_WORDS + 2 * ROW), _MM_HINT_T0);
        y[k] = load(src + 16 * k + LINE_WORDS);
        split(x[k], y[k]);
    }
#pragma GCC unroll 4
    for (int level = 3; level >= 0; --level) {
#pragma GCC unroll 4
        for (std::size_t k = 0; k < PAIRS; ++k) {
            const Vec quotient = pairQuotients(quotients, node + k, level);
            inverseButterfly(x[k], y[k], shoupFactorOf(quotient, prime), quotient, load(multiples.of[8 >> level]), prime);
            if (level == 3) exchangeNeighbours(x[k], y[k]);
            if (level == 2) exchangePairs(x[k], y[k]);
            if (level == 1) exchangeHalves(x[k], y[k]);
        }
    }
#pragma GCC unroll 4
    for (std::size_t k = 0; k < PAIRS; ++k) {
        store(dst + 16 * k, reduceLazy(x[k], prime));
        store(dst + 16 * k + LINE_WORDS, y[k]);
    }
}

/// LEVELS levels on 2^LEVELS lines `stride` apart, for every line of a stride; `node` with its sign
/// bit flipped. In [0, IN_BOUND p), out [0, 4p).
template <int LEVELS, int IN_BOUND, bool WIDE>
HEML_INLINE void inverseColumns(Word* values, std::size_t stride, const NttTables& tables, std::size_t node,
                                const Multiples& multiples, const Prime& prime) {
    for (std::size_t at = 0; at < stride; at += LINE_WORDS) {
        Vec x[1 << LEVELS];
#pragma GCC unroll 16
        for (std::size_t i = 0; i < (1 << LEVELS); ++i) x[i] = load(values + at + i * stride);
        inverseBlock<LEVELS, IN_BOUND, WIDE>(x, tables.factors(), tables.quotients(), node, multiples, prime);
#pragma GCC unroll 16
        for (std::size_t i = 0; i < (1 << LEVELS); ++i) store(values + at + i * stride, x[i]);
    }
}

/// One row of 256; `node` is the row's, sign bit flipped. In [0, p), out [0, 4p).
template <bool WIDE>
HEML_INLINE void inverseRow(Word* dst, const Word* src, const NttTables& tables, std::size_t node, const Multiples& multiples,
                            const Prime& prime) {
    for (std::size_t pair = 0; pair < 16; pair += PAIRS) {
        inversePairs(dst + 16 * pair, src + 16 * pair, tables.quotients(), 16 * node + pair, multiples, prime);
    }
    inverseColumns<4, PRODUCT_BOUND, WIDE>(dst, 2 * LINE_WORDS, tables, node, multiples, prime);
}

/// The subtree at `node` (sign bit flipped), COLUMN_LEVELS + 8 levels deep. In [0, p), out [0, 4p).
template <int COLUMN_LEVELS, bool WIDE>
void inverseSubtree(Word* dst, const Word* src, const NttTables& tables, std::size_t node) {
    const Prime prime(tables.modulus());
    const Multiples multiples(tables.modulus().value);
    for (std::size_t r = 0; r < (1 << COLUMN_LEVELS); ++r) {
        inverseRow<WIDE>(dst + r * ROW, src + r * ROW, tables, (node << COLUMN_LEVELS) + r, multiples, prime);
    }
    if constexpr (COLUMN_LEVELS > 0) {
        inverseColumns<COLUMN_LEVELS, BLOCK_OUT_BOUND, WIDE>(dst, ROW, tables, node, multiples, prime);
    }
}

/// The first LEVELS levels, backwards. In [0, 4p), out [0, p).
template <int LEVELS, bool WIDE>
void inverseStreams(Word* dst, const NttTables& tables, Word factor) {
    const Modulus& m = tables.modulus();
    const Word scale = mulMod(tables.degreeInverse(), factor, m);
    const FinalFactors last(makeShoup(scale, m), makeShoup(mulMod(scale, tables.factors()[0], m), m));
    const Multiples multiples(m.value);
    const Prime prime(m);
    const std::size_t stride = tables.degree() >> LEVELS;
    for (std::size_t at = 0; at < stride; at += LINE_WORDS) {
        Vec x[1 << LEVELS];
#pragma GCC unroll 16
        for (std::size_t i = 0; i < (1 << LEVELS); ++i) x[i] = load(dst + at + i * stride);
        inverseFinalBlock<LEVELS, BLOCK_OUT_BOUND, WIDE>(x, tables.factors(), tables.quotients(), last, multiples, prime);
#pragma GCC unroll 16
        for (std::size_t i = 0; i < (1 << LEVELS); ++i) store(dst + at + i * stride, x[i]);
    }
}

template <int STREAM_LEVELS, int COLUMN_LEVELS, bool WIDE>
void inverse(Word* dst, const Word* src, const NttTables& tables, Word factor) {
    constexpr std::size_t SUBTREE = ROW << COLUMN_LEVELS;
    const std::size_t count = tables.degree() / SUBTREE;
    const bool join = count > std::size_t{1} << STREAM_LEVELS;
    for (std::size_t s = 0; s < count; ++s) {
        const std::size_t node = (count + s) ^ (count / 2);
        inverseSubtree<COLUMN_LEVELS, WIDE>(dst + s * SUBTREE, src + s * SUBTREE, tables, node);
        if (join && s % 2 == 1) {
            inverseColumns<1, BLOCK_OUT_BOUND, WIDE>(dst + (s - 1) * SUBTREE, SUBTREE, tables, node / 2,
                                                     Multiples(tables.modulus().value), Prime(tables.modulus()));
        }
    }
    inverseStreams<STREAM_LEVELS, WIDE>(dst, tables, factor);
}

template <bool WIDE>
void inverseAny(Word* dst, const Word* src, const NttTables& tables, Word factor) {
    switch (tables.logN()) {
        case 10:
            return inverse<2, 0, WIDE>(dst, src, tables, factor);
        case 11:
            return inverse<3, 0, WIDE>(dst, src, tables, factor);
        case 12:
            return inverse<4, 0, WIDE>(dst, src, tables, factor);
        case 13:
            return inverse<2, 3, WIDE>(dst, src, tables, factor);
        case 14:
            return inverse<2, 4, WIDE>(dst, src, tables, factor);
        case 15:
            return inverse<3, 4, WIDE>(dst, src, tables, factor);
        default:
            return inverse<4, 4, WIDE>(dst, src, tables, factor);
    }
}

}  // namespace

void nttInverseScaled(Word* dst, const Word* src, const NttTables& tables, Word factor) {
    if (tables.modulus().bits == MAX_PRIME_BITS) {
        inverseAny<true>(dst, src, tables, factor);
    } else {
        inverseAny<false>(dst, src, tables, factor);
    }
}

void nttInverse(Word* dst, const Word* src, const NttTables& tables) { nttInverseScaled(dst, src, tables, 1); }

}  // namespace heml::kernel::ifma
