// Forward transform in two sweeps over memory.
// Sweep 1: the first two to four levels, as up to sixteen streams read in order (a column of 256 lines
// a power of two apart would share a few cache sets and as many pages). Sweep 2: every subtree of at
// most 4,096 entries (32 KiB) is finished in L1: three or four levels on its columns, four on each row
// of 256, and the last four on pairs of vectors. N = 2^17 has one more level before its subtrees.
// Factors come from the tables for the nodes used as broadcasts, and from the quotients otherwise.

#include "forward-block.h"
#include "ifma.h"
#include "lanes.h"
#include "shape.h"

namespace heml::kernel::ifma {

namespace {

/// What the last level leaves: residues, any 52-bit values congruent to them (with garbage above), or residues added to those at `out`.
enum class Finish { canonical, lazy, add };

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

/// Where the entries of a subtree come from: in order, or out of a split limb.
struct InOrder {
    const Word* limb;
    HEML_INLINE const Word* at(std::size_t i) const { return limb + i; }
};
struct FromSplit {
    const Word* limb;
    std::size_t first, stream, streams;
    HEML_INLINE const Word* at(std::size_t i) const { return limb + splitIndex(first + i, stream, streams); }
};

/// Asks for what comes next, a share at every step of the rows at work: a stream of a split limb, and runs of memory.
struct Ahead {
    const Word* limb = nullptr;
    std::size_t stream = 0, streams = 1;
    const MemoryRun* runs = nullptr;
    std::size_t steps = 1;

    HEML_INLINE void ask(std::size_t step) const {
        if (limb != nullptr) askLines(limb + splitIndex(step * RUN_WORDS, stream, streams), 0, RUN);
        for (std::size_t r = 0; runs != nullptr && r < MAX_RUNS_AHEAD; ++r) {
            const std::size_t lines = runs[r].bytes / LINE_BYTES;
            askLines(runs[r].from, lines * step / steps, lines * (step + 1) / steps);
        }
    }

private:
    static constexpr std::size_t LINE_BYTES = sizeof(Word) * LINE_WORDS;

    HEML_INLINE static void askLines(const void* from, std::size_t begin, std::size_t end) {
        for (std::size_t line = begin; line < end; ++line) {
            _mm_prefetch(static_cast<const char*>(from) + LINE_BYTES * line, _MM_HINT_T1);
        }
    }
};

/// LEVELS levels on 2^LEVELS lines `stride` apart, for every line of a stride. In and out [0, 10p).
template <int LEVELS, typename FROM>
HEML_INLINE void forwardColumns(Word* values, const FROM& from, std::size_t stride, const NttTables& tables, std::size_t node,
                                const Prime& prime) {
    for (std::size_t at = 0; at < stride; at += LINE_WORDS) {
        Vec x[1 << LEVELS];
#pragma GCC unroll 16
        for (std::size_t i = 0; i < (1 << LEVELS); ++i) x[i] = load(from.at(at + i * stride));
        forwardBlock<LEVELS, false>(x, tables.factors(), tables.quotients(), node, prime);
#pragma GCC unroll 16
        for (std::size_t i = 0; i < (1 << LEVELS); ++i) store(values + at + i * stride, x[i]);
    }
}

/// Last four levels of PAIRS pairs, 16 entries each. In [0, 10p), out below 18p (WIDE: 16p), then finished. `node` is the first pair's.
/// `offsets`: p times the levels before the first product, per lane of x. WIDE (p > 2^47): x is brought
/// below 8p first, so that the sum of an offset and four T stays below 16p; otherwise 18p < 2^52.
/// The pairs advance level by level, side by side: one alone would wait for its own results.
template <bool WIDE, Finish FINISH>
HEML_INLINE void forwardPairs(Word* out, const Word* values, const Word* quotients, std::size_t node, Vec offsets, Vec eightP,
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
        const auto finish = [&](Vec value, Word* to) {
            if constexpr (FINISH == Finish::add && WIDE) value = reduceLazy(value, prime);
            if constexpr (FINISH == Finish::add) value = add64(value, load(to));
            store(to, FINISH == Finish::lazy ? value : reduce(value, prime));
        };
        merge(x[k], y[k]);
        finish(x[k], out + 16 * k);
        finish(y[k], out + 16 * k + LINE_WORDS);
    }
}

/// The last eight levels of one row of 256, worked on in `row`; `node` is the row's. In [0, 10p).
template <bool WIDE, Finish FINISH, typename FROM>
HEML_INLINE void forwardRow(Word* out, Word* row, const FROM& from, const NttTables& tables, std::size_t node, const Ahead& ahead,
                            std::size_t run, const Prime& prime) {
    forwardColumns<4>(row, from, 2 * LINE_WORDS, tables, node, prime);
    const Word p = tables.modulus().value;
    const Vec offsets = _mm512_mullo_epi64(broadcast(p), lanes(4, 3, 2, 2, 1, 1, 1, 1));
    const Vec eightP = broadcast(8 * p);
    for (std::size_t pair = 0; pair < 16; pair += PAIRS) {
        ahead.ask(run + pair / PAIRS);
        forwardPairs<WIDE, FINISH>(out + 16 * pair, row + 16 * pair, tables.quotients(), 16 * node + pair, offsets, eightP,
                                   prime);
    }
}

/// The subtree at `node`, COLUMN_LEVELS + 8 levels deep, from `from`, worked on in `work`, to `out`. In [0, 10p).
template <int COLUMN_LEVELS, bool WIDE, Finish FINISH, typename FROM>
void forwardSubtree(Word* out, Word* work, const FROM& from, const NttTables& tables, std::size_t node, const Ahead& ahead,
                    std::size_t run) {
    const Prime prime(tables.modulus());
    if constexpr (COLUMN_LEVELS == 0) {
        forwardRow<WIDE, FINISH>(out, work, from, tables, node, ahead, run, prime);
    } else {
        forwardColumns<COLUMN_LEVELS>(work, from, ROW, tables, node, prime);
        for (std::size_t r = 0; r < (1 << COLUMN_LEVELS); ++r) {
            const InOrder row{work + r * ROW};
            forwardRow<WIDE, FINISH>(out + r * ROW, work + r * ROW, row, tables, (node << COLUMN_LEVELS) + r, ahead,
                                     run + r * ROW / RUN_WORDS, prime);
        }
    }
}

/// Everything below one stream's first node. `stream`: which one. In [0, 10p).
template <int COLUMN_LEVELS, bool WIDE, Finish FINISH, typename FROM>
void forwardStream(Word* out, Word* work, const FROM& from, const NttTables& tables, std::size_t stream, const Ahead& ahead) {
    constexpr std::size_t SUBTREE = ROW << COLUMN_LEVELS;
    const std::size_t count = tables.degree() / SUBTREE;
    if (count <= MAX_STREAMS)
        return forwardSubtree<COLUMN_LEVELS, WIDE, FINISH>(out, work, from, tables, count + stream, ahead, 0);
    forwardColumns<1>(work, from, SUBTREE, tables, count / 2 + stream, Prime(tables.modulus()));
    for (std::size_t s = 0; s < 2; ++s) {
        Word* half = work + s * SUBTREE;
        forwardSubtree<COLUMN_LEVELS, WIDE, FINISH>(out + s * SUBTREE, half, InOrder{half}, tables, count + 2 * stream + s, ahead,
                                                    s * SUBTREE / RUN_WORDS);
    }
}

/// Rows [begin, end) from a split limb. `out`: where the first of them goes; what is not canonical is worked on there.
template <int COLUMN_LEVELS, bool WIDE, Finish FINISH>
void forwardRows(Word* out, const Word* split, const NttTables& tables, std::size_t begin, std::size_t end,
                 const NextRows& next) {
    const std::size_t streams = std::size_t{1} << streamLevels(tables.logN());
    const std::size_t size = tables.degree() / streams;
    alignas(64) Word memory[FINISH == Finish::add ? MAX_ROW_WORDS : 1];
    for (std::size_t at = begin; at < end; at += size) {
        Word* rows = out + (at - begin);
        Word* work = FINISH == Finish::add ? memory : rows;
        const bool last = at + size >= end;
        Ahead ahead;
        if (!last) {
            ahead = {split, at / size + 1, streams};
        } else {
            ahead = {next.split, next.begin / size, streams, next.runs, size / RUN_WORDS};
        }
        forwardStream<COLUMN_LEVELS, WIDE, FINISH>(rows, work, FromSplit{split, 0, at / size, streams}, tables, at / size, ahead);
    }
}

template <bool WIDE, Finish FINISH>
void forwardRowsOf(Word* out, const Word* split, const NttTables& tables, std::size_t begin, std::size_t end,
                   const NextRows& next) {
    switch (columnLevels(tables.logN())) {
        case 0:
            return forwardRows<0, WIDE, FINISH>(out, split, tables, begin, end, next);
        case 3:
            return forwardRows<3, WIDE, FINISH>(out, split, tables, begin, end, next);
        default:
            return forwardRows<4, WIDE, FINISH>(out, split, tables, begin, end, next);
    }
}

template <Finish FINISH>
void forwardRowsAny(Word* out, const Word* split, const NttTables& tables, std::size_t begin, std::size_t end,
                    const NextRows& next) {
    if (tables.modulus().bits == MAX_PRIME_BITS) {
        forwardRowsOf<true, FINISH>(out, split, tables, begin, end, next);
    } else {
        forwardRowsOf<false, FINISH>(out, split, tables, begin, end, next);
    }
}

template <int STREAM_LEVELS, int COLUMN_LEVELS, bool WIDE>
void forward(Word* dst, const Word* src, const NttTables& tables) {
    forwardStreams<STREAM_LEVELS>(dst, src, tables);
    const std::size_t size = tables.degree() >> STREAM_LEVELS;
    for (std::size_t s = 0; s < (1 << STREAM_LEVELS); ++s) {
        Word* stream = dst + s * size;
        forwardStream<COLUMN_LEVELS, WIDE, Finish::canonical>(stream, stream, InOrder{stream}, tables, s, {});
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

void nttForwardRows(Word* dst, const Word* src, const NttTables& tables, std::size_t begin, std::size_t end,
                    const NextRows& next) {
    forwardRowsAny<Finish::lazy>(dst, src, tables, begin, end, next);
}

void nttForwardRowsAdd(Word* dst, Word* src, const NttTables& tables, std::size_t begin, std::size_t end) {
    forwardRowsAny<Finish::add>(dst, src, tables, begin, end, {});
}

}  // namespace heml::kernel::ifma
