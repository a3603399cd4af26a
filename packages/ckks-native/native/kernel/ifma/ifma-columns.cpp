// Basis conversion between two transforms. The streams of an inverse transform end in coefficients and those of a forward one begin
// with them, so a line of all streams of the sources becomes a line of all streams of every target, without a limb of
// coefficients in memory.
//
// The sum over sources is kept as low halves less p times the sum of quotients: y w - floor(y w' / 2^52) p is below p + p / 16 for
// y < 2^48, so a dozen terms stay below 13p and need one product with p in all; the transform takes them as they are.

#include <type_traits>
#include <vector>

#include "forward-block.h"
#include "ifma.h"
#include "inverse-block.h"
#include "shape.h"

namespace heml::kernel::ifma {

namespace {

/// Terms after which a sum is reduced below 2p.
inline constexpr std::size_t REDUCE_EVERY = 12;
/// Terms of a sum below 10p, the bound of forwardBlock for primes above 2^47; others may have 26p.
inline constexpr std::size_t WIDE_TERMS = 9;

/// One source limb.
struct Source {
    const Word* limb;
    const NttTables* tables;
    FinalFactors last;
    Multiples multiples;
    Prime prime;
    __m512d inverse;

    Source(const Word* from, const NttTables& its, Word factor)
        : limb(from),
          tables(&its),
          last(finalFactors(its, factor)),
          multiples(its.modulus().value),
          prime(its.modulus()),
          inverse(_mm512_set1_pd(its.modulus().inverse)) {}
};

/// Where the runs of all streams are in a block.
template <int LEVELS>
struct Runs {
    std::size_t at[1 << LEVELS];

    explicit Runs(std::size_t block) {
        for (std::size_t i = 0; i < (1 << LEVELS); ++i) at[i] = runInBlock(block, i, 1 << LEVELS);
    }
};

/// The sources of one converter to y_i and the count of overflows, the line of all streams at `at` of a split limb.
template <int LEVELS>
void loadLines(Vec* values, const std::vector<Source>& sources, std::size_t at, const Runs<LEVELS>& runs) {
    constexpr std::size_t SIZE = std::size_t{1} << LEVELS;
    alignas(64) __m512d fraction[SIZE];
    for (__m512d& f : fraction) f = _mm512_set1_pd(0.5);
    for (const Source& source : sources) {
        const NttTables& tables = *source.tables;
        Vec x[SIZE];
#pragma GCC unroll 16
        for (std::size_t i = 0; i < SIZE; ++i) {
            const Word* from = source.limb + at + runs.at[i];
            x[i] = load(from);
            _mm_prefetch(reinterpret_cast<const char*>(from + SIZE * RUN_WORDS), _MM_HINT_T1);
        }
        const auto finish = [&](auto wide) {
            inverseFinalBlock<LEVELS, BLOCK_OUT_BOUND, decltype(wide)::value>(x, tables.factors(), tables.quotients(),
                                                                              source.last, source.multiples, source.prime);
        };
        if (tables.modulus().bits == MAX_PRIME_BITS) {
            finish(std::true_type());
        } else {
            finish(std::false_type());
        }
#pragma GCC unroll 16
        for (std::size_t i = 0; i < SIZE; ++i) {
            *values++ = x[i];
            fraction[i] = _mm512_add_pd(fraction[i], _mm512_mul_pd(_mm512_cvtepu64_pd(x[i]), source.inverse));
        }
    }
    for (std::size_t i = 0; i < SIZE; ++i) *values++ = _mm512_cvttpd_epu64(fraction[i]);
}

/// What every target multiplies the values with, and their Shoup quotients: those of all parts, one after the other.
class Weights {
public:
    explicit Weights(const ConvertColumnsJob& job) {
        for (std::size_t t = 0; t < job.targetCount; ++t) {
            for (std::size_t p = 0; p < job.partCount; ++p) {
                const ColumnSources& part = job.parts[p];
                const std::size_t j = part.targetIndices == nullptr ? t : part.targetIndices[t];
                const std::size_t count = part.converter->sourceCount() + 1;
                weights_.insert(weights_.end(), part.converter->weights(j), part.converter->weights(j) + count);
                quotients_.insert(quotients_.end(), part.converter->weightQuotients(j),
                                  part.converter->weightQuotients(j) + count);
                if (t == 0) terms_ += count;
            }
        }
    }

    std::size_t terms() const { return terms_; }
    const Word* weights(std::size_t target) const { return weights_.data() + target * terms_; }
    const Word* quotients(std::size_t target) const { return quotients_.data() + target * terms_; }

private:
    std::size_t terms_ = 0;
    std::vector<Word> weights_, quotients_;
};

/// Targets whose sums are made side by side: they share the loads of the values, and one alone has too few sums to hide the time of a
/// product where there are two a cycle.
inline constexpr std::size_t TARGETS_TOGETHER = 2;

/// Terms of four streams for COUNT targets: congruent to the sum, below (terms + terms / 16) p, or 2p more than that of the last ones.
/// Target t's go to x[t].
template <std::size_t COUNT, std::size_t SIZE>
HEML_INLINE void sumTerms(Vec (&x)[COUNT][SIZE], std::size_t stream, const Vec* values, const Weights& all, std::size_t target,
                          const NttTables* const* tables) {
    const Word* weights[COUNT];
    const Word* quotients[COUNT];
    Vec low[COUNT][4], multiple[COUNT][4];
#pragma GCC unroll 2
    for (std::size_t t = 0; t < COUNT; ++t) {
        weights[t] = all.weights(target + t);
        quotients[t] = all.quotients(target + t);
#pragma GCC unroll 4
        for (int k = 0; k < 4; ++k) low[t][k] = multiple[t][k] = zero();
    }
    for (std::size_t s = 0; s < all.terms(); ++s) {
        Vec y[4];
#pragma GCC unroll 4
        for (std::size_t k = 0; k < 4; ++k) y[k] = values[s * SIZE + stream + k];
#pragma GCC unroll 2
        for (std::size_t t = 0; t < COUNT; ++t) {
            const Vec weight = broadcast(weights[t][s]);
            const Vec quotient = broadcast(quotients[t][s]);
#pragma GCC unroll 4
            for (int k = 0; k < 4; ++k) {
                low[t][k] = maddLow(low[t][k], y[k], weight);
                multiple[t][k] = maddHigh(multiple[t][k], y[k], quotient);
            }
        }
        if ((s + 1) % REDUCE_EVERY != 0) continue;
#pragma GCC unroll 2
        for (std::size_t t = 0; t < COUNT; ++t) {
            const Prime prime(tables[target + t]->modulus());
#pragma GCC unroll 4
            for (int k = 0; k < 4; ++k) {
                low[t][k] = reduceLazy(maddLow(low[t][k], multiple[t][k], prime.minusP), prime);
                multiple[t][k] = zero();
            }
        }
    }
#pragma GCC unroll 2
    for (std::size_t t = 0; t < COUNT; ++t) {
        const Prime prime(tables[target + t]->modulus());
#pragma GCC unroll 4
        for (std::size_t k = 0; k < 4; ++k) x[t][stream + k] = maddLow(low[t][k], multiple[t][k], prime.minusP);
    }
}

/// A line of all streams, the one at `at` of the split limbs, of COUNT targets from `target` on: the sums, then the first levels of the transforms.
template <int LEVELS, std::size_t COUNT>
HEML_INLINE void convertLines(const ConvertColumnsJob& job, std::size_t target, std::size_t at, const Runs<LEVELS>& runs,
                              const Vec* values, const Weights& all) {
    constexpr std::size_t SIZE = std::size_t{1} << LEVELS;
    Vec x[COUNT][SIZE];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < SIZE; i += 4) sumTerms(x, i, values, all, target, job.targetTables);
#pragma GCC unroll 2
    for (std::size_t t = 0; t < COUNT; ++t) {
        const NttTables& tables = *job.targetTables[target + t];
        const Prime prime(tables.modulus());
        if (all.terms() > WIDE_TERMS && tables.modulus().bits == MAX_PRIME_BITS) {
            for (Vec& value : x[t]) value = reduceLazy(value, prime);
        }
        forwardBlock<LEVELS, false>(x[t], tables.factors(), tables.quotients(), 1, prime);
        Word* to = job.targets[target + t] + at;
#pragma GCC unroll 16
        for (std::size_t i = 0; i < SIZE; ++i) stream(to + runs.at[i], x[t][i]);
    }
}

template <int LEVELS>
void convertColumnsOf(const ConvertColumnsJob& job) {
    constexpr std::size_t SIZE = std::size_t{1} << LEVELS;
    std::vector<Source> sources[MAX_COLUMN_PARTS];
    for (std::size_t p = 0; p < job.partCount; ++p) {
        const ColumnSources& part = job.parts[p];
        for (std::size_t s = 0; s < part.converter->sourceCount(); ++s) {
            sources[p].emplace_back(part.limbs[s], *part.tables[s], part.converter->sourceFactor(s).factor);
        }
    }
    const Weights weights(job);
    const AlignedArray<Word> memory = makeAlignedArray<Word>(RUN_WORDS * weights.terms() * SIZE);
    Vec* const values = reinterpret_cast<Vec*>(memory.get());
    const std::size_t size = weights.terms() * SIZE;
    for (std::size_t at = job.begin; at < job.end; at += SIZE * RUN_WORDS) {
        const Runs<LEVELS> runs(at / (SIZE * RUN_WORDS));
        for (std::size_t line = 0; line < RUN; ++line) {
            Vec* next = values + line * size;
            for (std::size_t p = 0; p < job.partCount; ++p) {
                loadLines<LEVELS>(next, sources[p], at + line * LINE_WORDS, runs);
                next += (sources[p].size() + 1) * SIZE;
            }
        }
        const auto convert = [&](auto count, std::size_t target) {
            for (std::size_t line = 0; line < RUN; ++line) {
                convertLines<LEVELS, decltype(count)::value>(job, target, at + line * LINE_WORDS, runs, values + line * size,
                                                             weights);
            }
        };
        std::size_t target = 0;
        for (; target + TARGETS_TOGETHER <= job.targetCount; target += TARGETS_TOGETHER) {
            convert(std::integral_constant<std::size_t, TARGETS_TOGETHER>(), target);
        }
        for (; target < job.targetCount; ++target) convert(std::integral_constant<std::size_t, 1>(), target);
    }
    streamFence();
}

}  // namespace

std::size_t rowWords(int logN) { return std::size_t{1} << (logN - streamLevels(logN)); }

void convertColumns(const ConvertColumnsJob& job) {
    switch (streamLevels(job.targetTables[0]->logN())) {
        case 2:
            return convertColumnsOf<2>(job);
        case 3:
            return convertColumnsOf<3>(job);
        default:
            return convertColumnsOf<4>(job);
    }
}

}  // namespace heml::kernel::ifma
