// Inverse transform: the two sweeps of the forward one, backwards.
// Sweep 1 takes every subtree of at most 4,096 entries through its rows (pairs of vectors, then four
// levels) and its columns, in L1; for N = 2^17 one more level joins two of them. Sweep 2 is the first
// two to four levels, in streams; the very last one multiplies by factor / N. The inverse of a node's
// w is the w of the node with the sign bit flipped, so both directions read one table.

#include "ifma.h"
#include "inverse-block.h"
#include "lanes.h"
#include "shape.h"

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

/// Where the entries of a subtree go: in order, or into a split limb.
struct InOrder {
    Word* limb;
    HEML_INLINE void put(std::size_t i, Vec x) const { store(limb + i, x); }
};
struct ToSplit {
    Word* limb;
    std::size_t stream, streams;
    HEML_INLINE void put(std::size_t i, Vec x) const { ifma::stream(limb + splitIndex(i, stream, streams), x); }
};

/// LEVELS levels on 2^LEVELS lines `stride` apart, for every line of a stride; `node` with its sign
/// bit flipped. In [0, IN_BOUND p), out [0, 4p).
template <int LEVELS, int IN_BOUND, bool WIDE, typename TO>
HEML_INLINE void inverseColumns(const TO& to, const Word* values, std::size_t stride, const NttTables& tables, std::size_t node,
                                const Multiples& multiples, const Prime& prime) {
    for (std::size_t at = 0; at < stride; at += LINE_WORDS) {
        Vec x[1 << LEVELS];
#pragma GCC unroll 16
        for (std::size_t i = 0; i < (1 << LEVELS); ++i) x[i] = load(values + at + i * stride);
        inverseBlock<LEVELS, IN_BOUND, WIDE>(x, tables.factors(), tables.quotients(), node, multiples, prime);
#pragma GCC unroll 16
        for (std::size_t i = 0; i < (1 << LEVELS); ++i) to.put(at + i * stride, x[i]);
    }
}

/// One row of 256, worked on in `row`; `node` is the row's, sign bit flipped. In [0, p), out [0, 4p).
template <bool WIDE, typename TO>
HEML_INLINE void inverseRow(const TO& to, Word* row, const Word* src, const NttTables& tables, std::size_t node,
                            const Multiples& multiples, const Prime& prime) {
    for (std::size_t pair = 0; pair < 16; pair += PAIRS) {
        inversePairs(row + 16 * pair, src + 16 * pair, tables.quotients(), 16 * node + pair, multiples, prime);
    }
    inverseColumns<4, PRODUCT_BOUND, WIDE>(to, row, 2 * LINE_WORDS, tables, node, multiples, prime);
}

/// The subtree at `node` (sign bit flipped), COLUMN_LEVELS + 8 levels deep, worked on in `work`. In [0, p), out [0, 4p).
template <int COLUMN_LEVELS, bool WIDE, typename TO>
void inverseSubtree(const TO& to, Word* work, const Word* src, const NttTables& tables, std::size_t node) {
    const Prime prime(tables.modulus());
    const Multiples multiples(tables.modulus().value);
    if constexpr (COLUMN_LEVELS == 0) {
        inverseRow<WIDE>(to, work, src, tables, node, multiples, prime);
    } else {
        for (std::size_t r = 0; r < (1 << COLUMN_LEVELS); ++r) {
            inverseRow<WIDE>(InOrder{work + r * ROW}, work + r * ROW, src + r * ROW, tables, (node << COLUMN_LEVELS) + r,
                             multiples, prime);
        }
        inverseColumns<COLUMN_LEVELS, BLOCK_OUT_BOUND, WIDE>(to, work, ROW, tables, node, multiples, prime);
    }
}

/// Everything below one stream's first node. `stream`: which one. In [0, p), out [0, 4p).
template <int COLUMN_LEVELS, bool WIDE, typename TO>
void inverseStream(const TO& to, Word* work, const Word* src, const NttTables& tables, std::size_t stream) {
    constexpr std::size_t SUBTREE = ROW << COLUMN_LEVELS;
    const std::size_t count = tables.degree() / SUBTREE;
    if (count <= MAX_STREAMS) {
        return inverseSubtree<COLUMN_LEVELS, WIDE>(to, work, src, tables, (count + stream) ^ (count / 2));
    }
    for (std::size_t s = 0; s < 2; ++s) {
        Word* half = work + s * SUBTREE;
        inverseSubtree<COLUMN_LEVELS, WIDE>(InOrder{half}, half, src + s * SUBTREE, tables,
                                            (count + 2 * stream + s) ^ (count / 2));
    }
    inverseColumns<1, BLOCK_OUT_BOUND, WIDE>(to, work, SUBTREE, tables, (count / 2 + stream) ^ (count / 4),
                                             Multiples(tables.modulus().value), Prime(tables.modulus()));
}

/// Rows [begin, end), the first of them at src, to a split limb.
template <int COLUMN_LEVELS, bool WIDE>
void inverseRows(Word* split, const Word* src, const NttTables& tables, std::size_t begin, std::size_t end) {
    const std::size_t streams = std::size_t{1} << streamLevels(tables.logN());
    const std::size_t size = tables.degree() / streams;
    alignas(64) Word work[MAX_ROW_WORDS];
    for (std::size_t at = begin; at < end; at += size) {
        inverseStream<COLUMN_LEVELS, WIDE>(ToSplit{split, at / size, streams}, work, src + (at - begin), tables, at / size);
    }
    streamFence();
}

/// The first LEVELS levels, backwards. In [0, 4p), out [0, p).
template <int LEVELS, bool WIDE>
void inverseStreams(Word* dst, const NttTables& tables, Word factor) {
    const Modulus& m = tables.modulus();
    const FinalFactors last = finalFactors(tables, factor);
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
    const std::size_t size = tables.degree() >> STREAM_LEVELS;
    for (std::size_t s = 0; s < (1 << STREAM_LEVELS); ++s) {
        Word* stream = dst + s * size;
        inverseStream<COLUMN_LEVELS, WIDE>(InOrder{stream}, stream, src + s * size, tables, s);
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

template <bool WIDE>
void inverseRowsAny(Word* split, const Word* src, const NttTables& tables, std::size_t begin, std::size_t end) {
    switch (columnLevels(tables.logN())) {
        case 0:
            return inverseRows<0, WIDE>(split, src, tables, begin, end);
        case 3:
            return inverseRows<3, WIDE>(split, src, tables, begin, end);
        default:
            return inverseRows<4, WIDE>(split, src, tables, begin, end);
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

void nttInverseRows(Word* dst, const Word* src, const NttTables& tables, Word, std::size_t begin, std::size_t end) {
    if (tables.modulus().bits == MAX_PRIME_BITS) {
        inverseRowsAny<true>(dst, src, tables, begin, end);
    } else {
        inverseRowsAny<false>(dst, src, tables, begin, end);
    }
}

void nttInverse(Word* dst, const Word* src, const NttTables& tables) { nttInverseScaled(dst, src, tables, 1); }

}  // namespace heml::kernel::ifma
