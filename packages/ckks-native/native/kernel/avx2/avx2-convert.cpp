// Fast basis conversion on 24-bit halves, 32 coefficients at a time: their y_i, split, fit L1.

#include "accumulator.h"
#include "avx2.h"

namespace heml::kernel::avx2 {

namespace {

inline constexpr std::size_t GROUPS = 8;
inline constexpr std::size_t BLOCK = GROUPS * LANES;

/// Both halves of y_i of one source (or of the overflows v) for one block.
struct Column {
    Int low[GROUPS], high[GROUPS];

    HEML_INLINE void put(std::size_t group, Int value) {
        const Halves halves(value);
        low[group] = halves.low;
        high[group] = halves.high;
    }
};

HEML_INLINE void loadBlock(Column* columns, const ConvertJob& job, const BaseConverter& converter, std::size_t begin,
                           std::size_t groups) {
    const std::size_t count = converter.sourceCount();
    Real fractions[GROUPS];
    for (Real& fraction : fractions) fraction = real(0.5);
    for (std::size_t s = 0; s < count; ++s) {
        const Modulus& q = converter.sources()[s];
        const Prime prime(q);
        const Factor factor = makeFactor(converter.sourceFactor(s));
        const Real inverse = real(q.inverse);
        for (std::size_t g = 0; g < groups; ++g) {
            Int y = load(job.sources[s] + begin + g * LANES);
            if (!job.sourcesScaled) y = canonical(mulFixed(toReal(y), factor, prime), prime);
            columns[s].put(g, y);
            fractions[g] = _mm256_add_pd(fractions[g], _mm256_mul_pd(toReal(y), inverse));
        }
    }
    for (std::size_t g = 0; g < groups; ++g) columns[count].put(g, toWord(_mm256_floor_pd(fractions[g])));
}

}  // namespace

void baseConvert(const ConvertJob& job, const BaseConverter& converter) {
    const std::size_t count = converter.sourceCount();
    Column columns[MAX_CONVERTER_SOURCES + 1];
    for (std::size_t i = job.begin; i < job.end; i += BLOCK) {
        const std::size_t groups = job.end - i < BLOCK ? (job.end - i) / LANES : GROUPS;
        loadBlock(columns, job, converter, i, groups);
        for (std::size_t t = 0; t < job.targetCount; ++t) {
            const std::size_t j = job.targetIndices == nullptr ? t : job.targetIndices[t];
            const Folding folding(converter.targets()[j]);
            const Word* weights = converter.weights(j);
            for (std::size_t g = 0; g < groups; ++g) {
                Accumulator sum;
                sum.start(zero());
                for (std::size_t s = 0; s <= count; ++s) {
                    sum.multiplyAdd(Halves(columns[s].low[g], columns[s].high[g]), Halves(broadcast(weights[s])));
                }
                store(job.targets[t] + i + g * LANES, sum.reduce(folding));
            }
        }
    }
}

}  // namespace heml::kernel::avx2
