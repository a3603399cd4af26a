// Sums of products on 24-bit halves: inner products, weights times limbs.

#include "accumulator.h"
#include "avx2.h"
#include "operands.h"

namespace heml::kernel::avx2 {

void innerProduct(const InnerProductJob& job, const Modulus& m) {
    const Folding folding(m);
    const Factor factor = makeFactor(makeShoup(job.factor, m));
    const auto finish = [&](const Accumulator& sum) {
        const Int value = sum.reduce(folding);
        return job.factor == 1 ? value : canonical(mulFixed(toReal(value), factor, folding.prime), folding.prime);
    };
    for (std::size_t i = job.begin; i < job.end; i += LANES) {
        Accumulator sum0, sum1;
        sum0.start(job.start0 == nullptr ? zero() : load(job.start0 + (i - job.begin)));
        sum1.start(job.start1 == nullptr ? zero() : load(job.start1 + (i - job.begin)));
        if (job.added0 != nullptr) sum0.low = _mm256_add_epi64(sum0.low, load(job.added0 + (i - job.begin)));
        if (job.added1 != nullptr) sum1.low = _mm256_add_epi64(sum1.low, load(job.added1 + (i - job.begin)));
        const auto take = [&](const Word* limb) { return loadMoved(limb, job.automorphism, i, job.origin); };
        if (job.direct0 != nullptr) sum0.low = _mm256_add_epi64(sum0.low, take(job.direct0));
        if (job.direct1 != nullptr) sum1.low = _mm256_add_epi64(sum1.low, take(job.direct1));
        for (std::size_t d = 0; d < job.count; ++d) {
            const Halves digit(take(job.digits[d]));
            sum0.multiplyAdd(digit, Halves(loadKey(job.keys0[d], job.keys, i)));
            sum1.multiplyAdd(digit, Halves(loadKey(job.keys1[d], job.keys, i)));
            if ((d + 1) % FOLD_EVERY == 0) {
                sum0.start(sum0.reduce(folding));
                sum1.start(sum1.reduce(folding));
            }
        }
        store(job.out0 + (i - job.begin), finish(sum0));
        store(job.out1 + (i - job.begin), finish(sum1));
    }
}

void sumProducts(const SumProductsJob& job, const Modulus& m) {
    const Folding folding(m);
    for (std::size_t i = job.begin; i < job.end; i += LANES) {
        Accumulator sum;
        sum.start(job.accumulate ? load(job.dst + i) : zero());
        for (std::size_t t = 0; t < job.count; ++t) {
            if ((t + 1) % FOLD_EVERY == 0) sum.start(sum.reduce(folding));
            if (job.multipliers[t].values == nullptr) continue;
            sum.multiplyAdd(Halves(load(job.factors[t] + i)), Halves(loadRepeated(job.multipliers[t], i)));
        }
        store(job.dst + i, sum.reduce(folding));
    }
}

void matrixProduct(const MatrixJob& job, const Modulus& m) {
    const Folding folding(m);
    for (std::size_t i = job.begin; i < job.end; i += LANES) {
        for (std::size_t row = 0; row < job.rows; ++row) {
            const Word* weights = job.weights + row * job.weightStride;
            Word* target = job.targets[row] + i;
            Accumulator sum;
            sum.start(job.accumulate ? load(target) : zero());
            for (std::size_t column = 0; column < job.columns; ++column) {
                sum.multiplyAdd(Halves(load(job.sources[column] + i)), Halves(broadcast(weights[column])));
                if ((column + 1) % FOLD_EVERY == 0) sum.start(sum.reduce(folding));
            }
            store(target, sum.reduce(folding));
        }
    }
}

}  // namespace heml::kernel::avx2
