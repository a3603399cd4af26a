// Forward transform in two sweeps over memory.
// Sweep 1: the first two to four levels, as up to sixteen streams read in order (a column of 256 lines
// a power of two apart would share a few cache sets and as many pages). Sweep 2: every subtree of at
// most 4,096 entries (32 KiB) is finished in L1: three or four levels on its columns, four on each row
// of 256, and the last four on pairs of vectors. N = 2^17 has one more level before its subtrees.
// Factors come from the tables for the nodes used as broadcasts, and from the quotients otherwise.

#include "forward-block.h"
#include "ifma.h"
#include "lanes.h"

namespace heml::kernel::ifma {

namespace {

/// The first LEVELS levels. In [0, p), out [0, 9p).
template <int LEVELS>
void forwardStreams(Word* dst, const Word* src, const NttTables& tables) {
    const Prime prime(tables.modulus());
    const std::size_t stride = tables.degree() >> LEVELS;
    for (std::size_t at = 0; at < stride; at += LINE_WORDS) {
        Vec x[1 << LEVELS];
#pragma GCC unroll 16
        for (std::size_t i = 0; i < (1 << LEVELS); ++i) {
            x[i] = load(src + at + i * stride);
            _mm_prefetch(reinterpret_cast<const char*>(src + at + i * stride + 8 * LINE_WORDS), _MM_HINT_T1);
        }
        forwardBlock<LEVELS, true>(x, tables.factors(), tables.quotients(), 1, prime);
#pragma GCC unroll 16
        for (std::size_t i = 0; i < (1 << LEVELS); ++i) store(dst + at + i * stride, x[i]);
    }
}

/// LEVELS levels on 2^LEVELS lines `stride` apart, for every line of a stride. In and out [0, 10p).
template <int LEVELS>
HEML_INLINE void forwardColumns(Word* values, std::size_t stride, const NttTables& tables, std::size_t node, const Prime& prime) {
    for (std::size_t at = 0; at < stride; at += LINE_WORDS) {
        Vec x[1 << LEVELS];
#pragma GCC unroll 16
        for (std::size_t i = 0; i < (1 << LEVELS); ++i) x[i] = load(values + at + i * stride);
        forwardBlock<LEVELS, false>(x, tables.factors(), tables.quotients(), node, prime);
#pragma GCC unroll 16
        for (std::size_t i = 0; i < (1 << LEVELS); ++i) store(values + at + i * stride, x[i]);
    }
}

/// Last four levels of PAIRS pairs, 16 entries each. In [0, 10p), out [0, p). `node` is the first pair's.
/// `offsets`: p times the levels before the first product, per lane of x. WIDE (p > 2^47): x is brought
/// below 8p first, so that the sum of an offset and four T stays below 16p; otherwise 18p < 2^52.
/// The pairs advance level by level, side by side: one alone would wait for its own results.
template <bool WIDE>
HEML_INLINE void forwardPairs(Word* values, const Word* quotients, std::size_t node, Vec offsets, Vec eightP,
                              const Prime& prime) {
    prefetchQuotients(quotients, node);
    Vec x[PAIRS], y[PAIRS];
#pragma GCC unroll 4
    for (std::size_t k = 0; k < PAIRS; ++k) {
        x[k] = load(values + 16 * k);
        y[k] = load(values + 16 * k + LINE_WORDS);
        if constexpr (WIDE) x[k] = subtractOnce(mask52(x[k]), eightP);
        x[k] = add64(x[k], offsets);
    }
#pragma GCC unroll 4
    for (int level = 0; level < 4; ++level) {
#pragma GCC unroll 4
        for (std::size_t k = 0; k < PAIRS; ++k) {
            if (level == 1) exchangeHalves(x[k], y[k]);
            if (level == 2) exchangePairs(x[k], y[k]);
            if (level == 3) exchangeNeighbours(x[k], y[k]);
            const Vec quotient = pairQuotients(quotients, node + k, level);
            forwardButterfly(x[k], y[k], shoupFactorOf(quotient, prime), quotient, prime);
        }
    }
#pragma GCC unroll 4
    for (std::size_t k = 0; k < PAIRS; ++k) {
        x[k] = reduce(x[k], prime);
        y[k] = reduce(y[k], prime);
        merge(x[k], y[k]);
        store(values + 16 * k, x[k]);
        store(values + 16 * k + LINE_WORDS, y[k]);
    }
}

/// The last eight levels of one row of 256; `node` is the row's. In [0, 10p), out [0, p).
template <bool WIDE>
HEML_INLINE void forwardRow(Word* row, const NttTables& tables, std::size_t node, const Prime& prime) {
    forwardColumns<4>(row, 2 * LINE_WORDS, tables, node, prime);
    const Word p = tables.modulus().value;
    const Vec offsets = _mm512_mullo_epi64(broadcast(p), lanes(4, 3, 2, 2, 1, 1, 1, 1));
    const Vec eightP = broadcast(8 * p);
    for (std::size_t pair = 0; pair < 16; pair += PAIRS) {
        forwardPairs<WIDE>(row + 16 * pair, tables.quotients(), 16 * node + pair, offsets, eightP, prime);
    }
}

/// The subtree at `node`, COLUMN_LEVELS + 8 levels deep. In [0, 10p), out [0, p).
template <int COLUMN_LEVELS, bool WIDE>
void forwardSubtree(Word* values, const NttTables& tables, std::size_t node) {
    const Prime prime(tables.modulus());
    if constexpr (COLUMN_LEVELS > 0) forwardColumns<COLUMN_LEVELS>(values, ROW, tables, node, prime);
    for (std::size_t r = 0; r < (1 << COLUMN_LEVELS); ++r) {
        forwardRow<WIDE>(values + r * ROW, tables, (node << COLUMN_LEVELS) + r, prime);
    }
}

template <int STREAM_LEVELS, int COLUMN_LEVELS, bool WIDE>
void forward(Word* dst, const Word* src, const NttTables& tables) {
    constexpr std::size_t SUBTREE = ROW << COLUMN_LEVELS;
    forwardStreams<STREAM_LEVELS>(dst, src, tables);
    const std::size_t count = tables.degree() / SUBTREE;
    const bool halve = count > std::size_t{1} << STREAM_LEVELS;
    for (std::size_t s = 0; s < count; ++s) {
        if (halve && s % 2 == 0) {
            forwardColumns<1>(dst + s * SUBTREE, SUBTREE, tables, (count + s) / 2, Prime(tables.modulus()));
        }
        forwardSubtree<COLUMN_LEVELS, WIDE>(dst + s * SUBTREE, tables, count + s);
    }
}

template <bool WIDE>
void forwardAny(Word* dst, const Word* src, const NttTables& tables) {
    switch (tables.logN()) {
        case 10:
            return forward<2, 0, WIDE>(dst, src, tables);
        case 11:
            return forward<3, 0, WIDE>(dst, src, tables);
        case 12:
            return forward<4, 0, WIDE>(dst, src, tables);
        case 13:
            return forward<2, 3, WIDE>(dst, src, tables);
        case 14:
            return forward<2, 4, WIDE>(dst, src, tables);
        case 15:
            return forward<3, 4, WIDE>(dst, src, tables);
        default:
            return forward<4, 4, WIDE>(dst, src, tables);
    }
}

}  // namespace

void nttForward(Word* dst, const Word* src, const NttTables& tables) {
    if (tables.modulus().bits == MAX_PRIME_BITS) {
        forwardAny<true>(dst, src, tables);
    } else {
        forwardAny<false>(dst, src, tables);
    }
}

}  // namespace heml::kernel::ifma
