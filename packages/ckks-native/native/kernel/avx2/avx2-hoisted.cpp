// The double-hoisted sum, four coefficients at a time through all baby steps; the sums per giant step
// stay in L1.

#include <algorithm>

#include "accumulator.h"
#include "avx2.h"
#include "operands.h"

namespace heml::kernel::avx2 {

namespace {

struct GiantSum {
    Accumulator c0, c1;
};

struct StepValue {
    Int u0, u1;
};

HEML_INLINE Int loadDirect(const Word* limb, const HoistedStep& step, std::size_t i) {
    return limb == nullptr ? zero() : loadMoved(limb, step.automorphism, i);
}

HEML_INLINE StepValue stepValue(const HoistedInput& input, const HoistedJob& job, const HoistedStep& step, std::size_t i,
                                const Folding& folding) {
    const Int direct0 = loadDirect(input.direct0, step, i);
    if (step.keys0 == nullptr) return {direct0, loadDirect(input.direct1, step, i)};
    Accumulator sum0, sum1;
    sum0.start(direct0);
    sum1.start(zero());
    for (std::size_t d = 0; d < job.digitCount; ++d) {
        const Halves digit(loadMoved(input.digits[d], step.automorphism, i));
        sum0.multiplyAdd(digit, Halves(loadKey(step.keys0[d], job.keys, i)));
        sum1.multiplyAdd(digit, Halves(loadKey(step.keys1[d], job.keys, i)));
        if ((d + 1) % FOLD_EVERY == 0) {
            sum0.start(sum0.reduce(folding));
            sum1.start(sum1.reduce(folding));
        }
    }
    return {sum0.reduce(folding), sum1.reduce(folding)};
}

/// What all inputs go through before the next run of keys and plaintexts is read.
constexpr std::size_t RUN = 256;

/// Entries [begin, end) of one input's sums.
void hoistedRun(const HoistedInput& input, const HoistedJob& job, std::size_t begin, std::size_t end, const Folding& folding) {
    GiantSum sums[MAX_GIANT_STEPS];
    for (std::size_t i = begin; i < end; i += LANES) {
        for (std::size_t g = 0; g < job.giantCount; ++g) {
            sums[g].c0.start(job.accumulate ? load(input.out0[g] + i) : zero());
            sums[g].c1.start(job.accumulate ? load(input.out1[g] + i) : zero());
        }
        for (std::size_t b = 0; b < job.stepCount; ++b) {
            const StepValue u = stepValue(input, job, job.steps[b], i, folding);
            const Halves u0(u.u0), u1(u.u1);
            for (std::size_t g = 0; g < job.giantCount; ++g) {
                const RepeatedLimb& plaintext = job.steps[b].plaintexts[g];
                if ((b + 1) % FOLD_EVERY == 0) {
                    sums[g].c0.start(sums[g].c0.reduce(folding));
                    sums[g].c1.start(sums[g].c1.reduce(folding));
                }
                if (plaintext.values == nullptr) continue;
                const Halves value(loadRepeated(plaintext, i));
                sums[g].c0.multiplyAdd(u0, value);
                sums[g].c1.multiplyAdd(u1, value);
            }
        }
        for (std::size_t g = 0; g < job.giantCount; ++g) {
            store(input.out0[g] + i, sums[g].c0.reduce(folding));
            store(input.out1[g] + i, sums[g].c1.reduce(folding));
        }
    }
}

}  // namespace

void hoistedProduct(const HoistedJob& job, const Modulus& m) {
    const Folding folding(m);
    for (std::size_t begin = job.begin; begin < job.end; begin += RUN) {
        for (std::size_t i = 0; i < job.inputCount; ++i) {
            hoistedRun(job.inputs[i], job, begin, std::min(begin + RUN, job.end), folding);
        }
    }
}

}  // namespace heml::kernel::avx2
