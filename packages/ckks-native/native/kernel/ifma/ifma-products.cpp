// Inner products with keys and sums of products: (low, high) sums in registers, one line at a time.

#include "accumulator.h"
#include "ifma.h"
#include "operands.h"

namespace heml::kernel::ifma {

namespace {

/// How far ahead of use keys are asked for; they come from memory, in order, one stream per limb.
inline constexpr std::size_t PREFETCH_WORDS = 8 * LINE_WORDS;

template <Packing PACKING>
HEML_INLINE void prefetchKey(KeyLimb limb, std::size_t i) {
    _mm_prefetch(static_cast<const char*>(limb) + (i + PREFETCH_WORDS) * bytesPerResidue(PACKING), _MM_HINT_T0);
}

HEML_INLINE void put(Word* to, Vec value, bool streamed) { streamed ? stream(to, value) : store(to, value); }

template <Packing PACKING, bool PERMUTED, bool SCALED>
void innerProductLines(const InnerProductJob& job, const Modulus& m) {
    const Folding folding(m);
    const ScaledFolding scaled(m, job.factor);
    const auto finish = [&](const Accumulator& sum) { return SCALED ? sum.reduceScaled(scaled) : sum.reduce(folding); };
    const Permutation permutation(job.automorphism);
    for (std::size_t i = job.begin; i < job.end; i += LINE_WORDS) {
        Accumulator sum0, sum1;
        sum0.clear();
        sum1.clear();
        if (job.start0 != nullptr) sum0.low = mask52(load(job.start0 + (i - job.begin)));
        if (job.start1 != nullptr) sum1.low = mask52(load(job.start1 + (i - job.begin)));
        if (job.added0 != nullptr) sum0.low = add64(sum0.low, load(job.added0 + (i - job.begin)));
        if (job.added1 != nullptr) sum1.low = add64(sum1.low, load(job.added1 + (i - job.begin)));
        Permutation::Source source{i, zero()};
        if constexpr (PERMUTED) source = permutation.at(i);
        source.offset -= job.origin;
        const auto take = [&](const Word* limb) {
            return PERMUTED ? Permutation::take(limb, source) : load(limb + source.offset);
        };
        if (job.direct0 != nullptr) sum0.low = add64(sum0.low, take(job.direct0));
        if (job.direct1 != nullptr) sum1.low = add64(sum1.low, take(job.direct1));
        for (std::size_t d = 0; d < job.count; ++d) {
            const Vec digit = take(job.digits[d]);
            sum0.multiplyAdd(digit, loadKey<PACKING>(job.keys0[d], i));
            sum1.multiplyAdd(digit, loadKey<PACKING>(job.keys1[d], i));
            prefetchKey<PACKING>(job.keys0[d], i);
            prefetchKey<PACKING>(job.keys1[d], i);
            if ((d + 1) % FOLD_WIDE_EVERY == 0) {
                sum0.fold(folding);
                sum1.fold(folding);
            }
        }
        put(job.out0 + (i - job.begin), finish(sum0), job.streamed);
        put(job.out1 + (i - job.begin), finish(sum1), job.streamed);
    }
}

template <Packing PACKING>
void innerProductOf(const InnerProductJob& job, const Modulus& m) {
    if (job.factor != 1) {
        job.automorphism != nullptr ? innerProductLines<PACKING, true, true>(job, m)
                                    : innerProductLines<PACKING, false, true>(job, m);
    } else {
        job.automorphism != nullptr ? innerProductLines<PACKING, true, false>(job, m)
                                    : innerProductLines<PACKING, false, false>(job, m);
    }
}

}  // namespace

void innerProduct(const InnerProductJob& job, const Modulus& m) {
    if (job.keys == Packing::four) {
        innerProductOf<Packing::four>(job, m);
    } else if (job.keys == Packing::six) {
        innerProductOf<Packing::six>(job, m);
    } else {
        innerProductOf<Packing::words>(job, m);
    }
    if (job.streamed) streamFence();
}

void sumProducts(const SumProductsJob& job, const Modulus& m) {
    const Folding folding(m);
    for (std::size_t i = job.begin; i < job.end; i += LINE_WORDS) {
        Accumulator sum;
        sum.clear();
        if (job.accumulate) sum.low = load(job.dst + i);
        for (std::size_t t = 0; t < job.count; ++t) {
            if ((t + 1) % FOLD_EVERY == 0) sum.fold(folding);
            if (job.multipliers[t].values == nullptr) continue;
            sum.multiplyAdd(load(job.factors[t] + i), loadRepeated(job.multipliers[t], i));
        }
        store(job.dst + i, sum.reduce(folding));
    }
}

}  // namespace heml::kernel::ifma
