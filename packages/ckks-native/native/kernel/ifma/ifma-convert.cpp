// Fast basis conversion, coefficient block by coefficient block.
// A block of 32 coefficients of all sources fits L1 as y_i; for every target the four lines' sums stay
// in registers while the sources stream by: one broadcast weight serves eight multiply-adds. The count
// of overflows, v, is one more source with the weight -Q.

#include "accumulator.h"
#include "ifma.h"

namespace heml::kernel::ifma {

namespace {

inline constexpr std::size_t LINES = 4;
inline constexpr std::size_t BLOCK = LINES * LINE_WORDS;
/// How far ahead sources are asked for: streams a power of two apart, too many for the processor to follow.
inline constexpr std::size_t PREFETCH_WORDS = 8 * BLOCK;

/// y_i and v of `lines` lines at `begin`: block[(s * LINES + k)] holds line k of source s, s = count that of v.
HEML_INLINE void loadBlock(Vec* block, const ConvertJob& job, const BaseConverter& converter, std::size_t begin,
                           std::size_t lines) {
    const std::size_t count = converter.sourceCount();
    __m512d fraction[LINES];
    for (__m512d& f : fraction) f = _mm512_set1_pd(0.5);
    for (std::size_t s = 0; s < count; ++s) {
        const Modulus& q = converter.sources()[s];
        const Prime prime(q);
        const Vec factor = broadcast(converter.sourceFactor(s).factor);
        const Vec quotient = broadcast(converter.sourceFactor(s).quotient);
        const __m512d inverse = _mm512_set1_pd(q.inverse);
        for (std::size_t k = 0; k < lines; ++k) {
            const Word* from = job.sources[s] + begin + k * LINE_WORDS;
            _mm_prefetch(reinterpret_cast<const char*>(from + PREFETCH_WORDS), _MM_HINT_T0);
            Vec y = load(from);
            if (!job.sourcesScaled) y = mulShoup(y, factor, quotient, prime);
            block[s * LINES + k] = y;
            fraction[k] = _mm512_add_pd(fraction[k], _mm512_mul_pd(_mm512_cvtepu64_pd(y), inverse));
        }
    }
    for (std::size_t k = 0; k < lines; ++k) block[count * LINES + k] = _mm512_cvttpd_epu64(fraction[k]);
}

/// One target for `lines` lines: the sum over count + 1 sources, reduced.
template <std::size_t COUNT>
HEML_INLINE void convertLines(Word* dst, const Vec* block, const Word* weights, std::size_t sources, const Folding& folding) {
    Accumulator sums[COUNT];
#pragma GCC unroll 4
    for (Accumulator& sum : sums) sum.clear();
    for (std::size_t s = 0; s <= sources; ++s) {
        const Vec weight = broadcast(weights[s]);
#pragma GCC unroll 4
        for (std::size_t k = 0; k < COUNT; ++k) sums[k].multiplyAdd(block[s * LINES + k], weight);
    }
#pragma GCC unroll 4
    for (std::size_t k = 0; k < COUNT; ++k) store(dst + k * LINE_WORDS, sums[k].reduce(folding));
}

}  // namespace

void baseConvert(const ConvertJob& job, const BaseConverter& converter) {
    alignas(64) Vec block[(MAX_CONVERTER_SOURCES + 1) * LINES];
    const std::size_t count = converter.sourceCount();
    for (std::size_t i = job.begin; i < job.end; i += BLOCK) {
        const std::size_t lines = job.end - i < BLOCK ? (job.end - i) / LINE_WORDS : LINES;
        loadBlock(block, job, converter, i, lines);
        for (std::size_t t = 0; t < job.targetCount; ++t) {
            const std::size_t j = job.targetIndices == nullptr ? t : job.targetIndices[t];
            const Folding folding(converter.targets()[j]);
            const Word* weights = converter.weights(j);
            if (lines == LINES) {
                convertLines<LINES>(job.targets[t] + i, block, weights, count, folding);
            } else {
                for (std::size_t k = 0; k < lines; ++k) {
                    convertLines<1>(job.targets[t] + i + k * LINE_WORDS, block + k, weights, count, folding);
                }
            }
        }
    }
}

}  // namespace heml::kernel::ifma
